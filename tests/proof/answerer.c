/* Answers on TCP by a table, on one thread: what a line's other end is when it costs nothing.
 *
 * usage: answerer TABLE, a file of lines "REQUEST ANSWER" in hexadecimal. Listens at a free port
 * of 127.0.0.1 and prints it. At the end of its standard input it prints how many requests it
 * answered, and ends. A request that is not in the table ends it with an error.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SLOTS = 1 << 14, LONGEST_REQUEST = 64, LONGEST_ANSWER = 512, EVENTS = 256 };

struct entry {
    int asked, answered;
    unsigned char request[LONGEST_REQUEST], answer[LONGEST_ANSWER];
};

static struct entry *table[SLOTS];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static struct entry **place(const unsigned char *request, int length)
{
    uint32_t hash = 2166136261u;
    for (int i = 0; i < length; i++)
        hash = (hash ^ request[i]) * 16777619u;
    for (uint32_t at = hash % SLOTS;; at = (at + 1) % SLOTS) {
        struct entry *here = table[at];
        if (!here || (here->asked == length && !memcmp(here->request, request, length)))
            return &table[at];
    }
}

static int unhex(const char *text, unsigned char *bytes, int most)
{
    int count = 0;
    unsigned byte;
    for (; sscanf(text, "%2x", &byte) == 1; text += 2) {
        if (count == most)
            exit(2);
        bytes[count++] = byte;
    }
    return count;
}

static void load(const char *path)
{
    FILE *file = fopen(path, "r");
    static char asked[2 * LONGEST_REQUEST + 1], answered[2 * LONGEST_ANSWER + 1];
    int count = 0;
    if (!file)
        die(path);
    while (fscanf(file, "%128s %1024s", asked, answered) == 2) {
        struct entry *entry = calloc(1, sizeof *entry);
        if (!entry || ++count > SLOTS / 2)
            exit(2);
        entry->asked = unhex(asked, entry->request, LONGEST_REQUEST);
        entry->answered = unhex(answered, entry->answer, LONGEST_ANSWER);
        *place(entry->request, entry->asked) = entry;
    }
    fclose(file);
}

int main(int count, char **words)
{
    if (count != 2)
        return 2;
    load(words[1]);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files))
        die("getrlimit");
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files))
        die("setrlimit");
    int listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0), on = 1;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    if (listener < 0 || epoll < 0 || bind(listener, (struct sockaddr *)&here, size) ||
        listen(listener, SOMAXCONN) || getsockname(listener, (struct sockaddr *)&here, &size))
        die("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event))
        die("epoll_ctl");
    event.data.fd = STDIN_FILENO;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event))
        die("epoll_ctl");
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);

    unsigned long answers = 0;
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            unsigned char request[LONGEST_REQUEST + 1];
            if (fd == STDIN_FILENO) {
                if (read(fd, request, sizeof request) <= 0) {
                    printf("%lu\n", answers);
                    return 0;
                }
                continue;
            }
            if (fd == listener) {
                fd = event.data.fd = accept(listener, NULL, NULL);
                if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) ||
                    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
                    die("accept");
                continue;
            }
            ssize_t length = read(fd, request, sizeof request);
            if (length <= 0) {
                close(fd);
                continue;
            }
            struct entry *entry = *place(request, length);
            if (!entry) {
                fprintf(stderr, "no answer to this request:");
                for (ssize_t at = 0; at < length; at++)
                    fprintf(stderr, " %02X", request[at]);
                fprintf(stderr, "\n");
                return 1;
            }
            answers++;
            if (write(fd, entry->answer, entry->answered) != entry->answered)
                close(fd);
        }
    }
}
