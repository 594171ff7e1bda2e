"""What a form with files sent: its fields and its files, once the request has read them."""

from litestar.datastructures import UploadFile
from litestar.types import Empty
from litestar.utils.scope.state import ScopeState

from hub.domain.files import LARGEST_FILE, MOST_FILES
from hub.services.drafts import NewFile
from hub.web.kit.requests import AnyRequest

LARGEST_UPLOAD = MOST_FILES * LARGEST_FILE + 1024 * 1024
FILES = "files"


def sent_fields(request: AnyRequest) -> dict[str, str]:
    """Give the fields that were sent once, with plain line ends."""
    form = ScopeState.from_scope(request.scope).form
    if form is Empty or not isinstance(form, dict):
        return {}
    return {
        name: value.replace("\r\n", "\n") for name, value in form.items() if isinstance(value, str)
    }


def sent_files(request: AnyRequest) -> list[NewFile]:
    """Give the files; of one that is too large a byte more than is taken, which says so."""
    form = ScopeState.from_scope(request.scope).form
    sent = form.get(FILES, []) if isinstance(form, dict) else []
    found = []
    for each in sent if isinstance(sent, list) else [sent]:
        if isinstance(each, UploadFile):
            found.append(NewFile(each.filename, each.file.read(LARGEST_FILE + 1)))
            each.file.close()
    return found
