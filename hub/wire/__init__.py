"""The only place that opens ports and sockets: lines, links, the runner, virtual meters."""
