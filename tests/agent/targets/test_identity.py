import pytest
from pivotscope_agent.targets.identity import identify, program_name, resource_attributes
from pivotscope_agent.targets.selector import Labels

COMMAND = ("python", "/srv/web.py")


def test_configuration_wins_over_variables_over_opentelemetry() -> None:
    environ = {
        "PIVOTSCOPE_SERVICE": "by-variable",
        "PIVOTSCOPE_VERSION": "2",
        "OTEL_SERVICE_NAME": "by-otel",
        "OTEL_RESOURCE_ATTRIBUTES": "service.name=by-resource,service.version=1,deployment.environment=prod,variant=b",
    }
    assert identify(Labels(service="configured"), environ, COMMAND, "h").service == "configured"
    named = identify(Labels(), environ, COMMAND, "h")
    assert (named.service, named.version, named.environment, named.variant) == ("by-variable", "2", "prod", "b")
    del environ["PIVOTSCOPE_SERVICE"]
    assert identify(Labels(), environ, COMMAND, "h").service == "by-otel"
    del environ["OTEL_SERVICE_NAME"]
    assert identify(Labels(), environ, COMMAND, "h").service == "by-resource"


def test_defaults_are_program_service_and_host() -> None:
    named = identify(Labels(), {}, COMMAND, "host-1")
    assert (named.service, named.codebase, named.instance, named.root) == ("web", "web", "host-1", "")


def test_codebase_and_root_can_be_told() -> None:
    named = identify(Labels(), {"PIVOTSCOPE_CODEBASE": "mono", "PIVOTSCOPE_ROOT": "/srv"}, COMMAND, "h")
    assert (named.service, named.codebase, named.root) == ("web", "mono", "/srv")


def test_newer_environment_attribute_wins() -> None:
    environ = {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=old,deployment.environment.name=new"}
    assert identify(Labels(), environ, COMMAND, "h").environment == "new"


def test_resource_attributes_are_decoded_and_rubbish_is_left_out() -> None:
    text = "service.name=my%20shop, a = b ,nonsense,=x,c=d=e"
    assert resource_attributes(text) == {"service.name": "my shop", "a": "b", "c": "d=e"}


@pytest.mark.parametrize(
    ("cmdline", "name"),
    [
        (("python3.11", "-X", "dev", "/srv/shop/web.py", "--port", "1"), "web"),
        (("/usr/bin/python3", "-m", "shop.web"), "shop.web"),
        (("python", "-c", "import x"), "python"),
        (("/venv/bin/python", "/venv/bin/gunicorn", "-w", "4", "shop:app"), "gunicorn"),
        (("env", "A=1", "bundle", "exec", "puma"), "puma"),
        (("ruby", "-I", "lib", "bin/server.rb"), "server"),
        (("puma 5.6.5 (tcp://0.0.0.0:9292) [shop]",), "puma"),
        (("gunicorn: worker [shop]",), "gunicorn"),
        ((), "unknown"),
    ],
)
def test_program_name(cmdline: tuple[str, ...], name: str) -> None:
    assert program_name(cmdline) == name
