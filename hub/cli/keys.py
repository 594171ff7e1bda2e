"""``hub keys``: the keys of sealed secrets."""

import click


@click.group()
def keys() -> None:
    """Make and rotate the keys of sealed secrets."""


@keys.command()
@click.option("--print", "only_print", is_flag=True, help="Print a key, for HUB_KEYS.")
def new(*, only_print: bool) -> None:
    """Make the key of a new installation.

    It goes into the file 'keys' of the data folder, which only its owner may read. Where the
    keys come from HUB_KEYS, print one and put it there yourself.
    """
    from hub.cli.opening import KEYS_FILE, make_folder, read_keys, read_settings, write_keys
    from hub.store.secrets import new_key

    settings = read_settings()
    if only_print or settings.keys:
        click.echo(new_key())
        return
    path = settings.data_dir / KEYS_FILE
    if read_keys(settings):
        raise click.UsageError(
            f"There are keys in {path}; 'hub keys rotate' replaces them without losing secrets"
        )
    make_folder(settings.data_dir)
    write_keys(path, [new_key()])
    click.echo(
        f"A new key is in {path}. Keep a copy elsewhere: without it sealed secrets are lost."
    )


@keys.command()
def rotate() -> None:
    """Seal all secrets anew.

    With the key file: under a new key, after which the old ones are dropped. With HUB_KEYS: put
    the new key first and keep the old one behind it; after this command the old one can go.
    """
    from hub.cli.opening import KEYS_FILE, open_store, read_keys, read_settings, write_keys
    from hub.services import upkeep
    from hub.store.secrets import new_key

    settings = read_settings()
    old = read_keys(settings)
    path = settings.data_dir / KEYS_FILE
    if old and not settings.keys:
        # The new key is on the disk before anything is sealed with it.
        write_keys(path, [new_key(), *old])
    with open_store(settings) as store:
        count = upkeep.reseal(store)
        newest = store.keys[0]
    if settings.keys:
        click.echo(f"{count} secrets are sealed with the first key of HUB_KEYS; others can go.")
        return
    write_keys(path, [newest])
    click.echo(f"{count} secrets are sealed with a new key, which is in {path}.")
