"""`pivotscope token`: who may write, read and administer."""

import os
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from pivotscope.v1 import query_pb2

from pivotscope_collector.cli import options
from pivotscope_collector.cli.connection import DEFAULT_ADDRESS, Address, TokenFile, ask_admin
from pivotscope_collector.cli.format import moment
from pivotscope_collector.cli.when import parse_duration
from pivotscope_collector.errors import UsageError
from pivotscope_collector.reports.table import Column, Output, Table, write

app = typer.Typer(no_args_is_help=True, help="Who may write, read and administer.")

Name = Annotated[str, typer.Argument(help="A name for people, such as the team's or the host's.")]
TokenName = Annotated[str, typer.Argument(metavar="NAME|ID", help="As `pivotscope token list` shows it.")]
Write = Annotated[
    list[str] | None,
    typer.Option("--write", help="Agents may write for this service; again for more, * for all.", show_default=False),
]
Read = Annotated[bool, typer.Option("--read", help="Commands may ask questions.")]
Admin = Annotated[bool, typer.Option("--admin", help="Tokens, the collector and agents may be administered.")]
Expires = Annotated[str, typer.Option("--expires", help="It ends after so long, such as 12h or 90d; default: never.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the token to this new file, not to the screen.")]
Ended = Annotated[bool, typer.Option("--ended", help="Also those that were revoked or have expired.")]

COLUMNS = (
    Column("name", "name"),
    Column("token_id", "id"),
    Column("rights", "may"),
    Column("created", "created"),
    Column("created_by", "by"),
    Column("ends", "ends"),
    Column("state", "state"),
)


@app.callback()
def token() -> None:
    """Who may write, read and administer."""


@app.command("create")
def create(
    name: Name,
    *,
    write_for: Write = None,
    read: Read = False,
    admin: Admin = False,
    expires: Expires = "",
    out: Out = None,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """Make a token and show it, this once: the collector keeps only a digest of it.

    For example:

        pivotscope token create shop-agents --write shop --expires 90d --out shop.token
    """
    request = query_pb2.CreateTokenRequest(
        name=name,
        rights=query_pb2.TokenRights(read=read, admin=admin, write=write_for or []),
        ends_unix_ns=time.time_ns() + parse_duration(expires) * 10**9 if expires else 0,
    )
    # The file comes first: a token that cannot be written down would be lost.
    target = _reserve(out) if out else None
    try:
        answer = ask_admin(
            collector,
            token_file,
            lambda stub, call: stub.CreateToken(request, metadata=call.metadata, timeout=call.timeout),
        )
    except BaseException:
        if out and target is not None:
            os.close(target)
            out.unlink()
        raise
    if target is None:
        typer.echo(answer.secret)
    else:
        with os.fdopen(target, "w", encoding="ascii") as file:
            file.write(f"{answer.secret}\n")
        typer.echo(f"token {name} ({answer.token.token_id}) is in {out}")
    if not answer.enforced:
        typer.echo("this collector asks nobody for a token: start it with --token-file", err=True)


@app.command("list")
def list_tokens(
    *,
    ended: Ended = False,
    output: options.OutputOption = Output.TABLE,
    collector: Address = DEFAULT_ADDRESS,
    token_file: TokenFile = None,
) -> None:
    """List the tokens that are valid.

    For example:

        pivotscope token list --ended --output json
    """
    request = query_pb2.ListTokensRequest(ended=ended)
    answer = ask_admin(
        collector, token_file, lambda stub, call: stub.ListTokens(request, metadata=call.metadata, timeout=call.timeout)
    )
    notes = () if answer.tokens else ("No token was made yet; `pivotscope token create` makes one.",)
    write(Table(COLUMNS, [_row(one, time.time_ns()) for one in answer.tokens], notes=notes), output)


@app.command("revoke")
def revoke(name: TokenName, collector: Address = DEFAULT_ADDRESS, token_file: TokenFile = None) -> None:
    """End a token; whatever is open with it ends within ten seconds.

    For example:

        pivotscope token revoke shop-agents
    """
    request = query_pb2.RevokeTokenRequest(token=name)
    answer = ask_admin(
        collector,
        token_file,
        lambda stub, call: stub.RevokeToken(request, metadata=call.metadata, timeout=call.timeout),
    )
    typer.echo(f"token {answer.token.name} ({answer.token.token_id}) is revoked")


def _reserve(file: Path) -> int:
    """A new file that only its owner can read, open for writing."""
    try:
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UsageError(f"--out {file}: {error.strerror}") from error


def _row(token: query_pb2.Token, now_ns: int) -> dict[str, Any]:
    rights = ["read"] * token.rights.read + ["admin"] * token.rights.admin
    state = "valid" if not token.ends_unix_ns or token.ends_unix_ns > now_ns else "expired"
    return {
        "name": token.name,
        "token_id": token.token_id,
        "rights": ", ".join([*rights, *(f"write {name}" for name in token.rights.write)]),
        "created": moment(token.created_unix_ns),
        "created_by": token.created_by,
        "ends": moment(token.ends_unix_ns) if token.ends_unix_ns else "never",
        "state": f"revoked by {token.revoked_by}" if token.revoked_by else state,
    }
