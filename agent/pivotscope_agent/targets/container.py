"""Which container, and which pod of Kubernetes, a process runs in: told by its control groups, mounts and environment.

Pure, but for the files of the downward API that `locate` reads through a function it is given.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

_UUID = r"[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}"
# docker-ID.scope, cri-containerd-ID.scope, crio-ID.scope, libpod-ID.scope, …:cri-containerd:ID, /docker/ID, /podUID/ID;
# the fourth field of an ECS task is TASK-NUMBER. Monitors (conmon) live in groups that bear the id, and are not in it.
_ID = re.compile(r"(?:^|[/:]|(?<!conmon)-)([0-9a-f]{64}|[0-9a-f]{32}-\d+)(?:\.scope)?(?=/|$)")
_POD = re.compile(rf"(?:^|[/-])pod({_UUID}|[0-9a-f]{{32}})(?:\.slice)?(?=[/:]|$)")
_MOUNTED_ID = re.compile(
    r"/(?:[a-z0-9]+-)?containers/([0-9a-f]{64})/(?:userdata/)?(?:hostname|resolv\.conf|hosts)$", re.MULTILINE
)
_MOUNTED_POD = re.compile(rf"/kubelet/pods/({_UUID}|[0-9a-f]{{32}})/")
_MOUNTED_NAME = re.compile(rf"/kubelet/pods/(?:{_UUID}|[0-9a-f]{{32}})/containers/([^/ ]+)/")

_POD_NAMES = ("K8S_POD_NAME", "POD_NAME", "KUBERNETES_POD_NAME", "MY_POD_NAME")
_NAMESPACES = ("K8S_NAMESPACE", "K8S_POD_NAMESPACE", "POD_NAMESPACE", "KUBERNETES_NAMESPACE", "MY_POD_NAMESPACE")
_CONTAINER_NAMES = ("K8S_CONTAINER_NAME", "CONTAINER_NAME", "MY_CONTAINER_NAME")
_POD_UIDS = ("K8S_POD_UID", "POD_UID", "MY_POD_UID")
_NAME_FILES = ("/etc/podinfo/name", "/etc/podinfo/podname", "/etc/podinfo/pod_name")
_NAMESPACE_FILES = ("/etc/podinfo/namespace", "/var/run/secrets/kubernetes.io/serviceaccount/namespace")

ReadFile = Callable[[str], str]
"""Text of a file as the process sees it, empty where there is none."""


@dataclass(frozen=True, slots=True)
class Container:
    """Where a process runs; what is not known is empty. `id` is as long as the runtime made it."""

    id: str = ""
    name: str = ""
    pod: str = ""
    namespace: str = ""
    pod_uid: str = ""

    def __str__(self) -> str:
        """NAMESPACE/POD/NAME@ID of what is known; the id has 12 digits, as its tools print it."""
        names = "/".join(part for part in (self.namespace, self.pod, self.name) if part)
        return "@".join(part for part in (names, self.id[:12]) if part)


def from_cgroups(cgroups: str) -> Container:
    """The container's id and the pod's, from the text of /proc/PID/cgroup: version 1, 2 or both."""
    paths = [line.split(":", 2)[2] for line in cgroups.splitlines() if line.count(":") >= 2]
    ids = [found for path in paths for found in _ID.findall(path)[-1:]]
    pods = [found for path in paths for found in _POD.findall(path)[-1:]]
    return Container(id=ids[0] if ids else "", pod_uid=_dashed(pods[0]) if pods else "")


def from_mounts(mounts: str) -> Container:
    """The same from /proc/PID/mountinfo, where a cgroup namespace hides the path; Kubernetes tells the name as well."""
    roots = [fields[3] for line in mounts.splitlines() if len(fields := line.split(" ", 5)) > 4]
    text = "\n".join(roots)
    found, pod, name = _MOUNTED_ID.search(text), _MOUNTED_POD.search(text), _MOUNTED_NAME.search(text)
    return Container(id=found[1] if found else "", name=name[1] if name else "", pod_uid=_dashed(pod[1]) if pod else "")


def from_names(environ: Mapping[str, str], resource: Mapping[str, str]) -> Container:
    """Names of the downward API in a process's environment, or in its OTEL_RESOURCE_ATTRIBUTES (`resource`)."""
    in_kubernetes = "KUBERNETES_SERVICE_HOST" in environ
    return Container(
        id=resource.get("container.id", ""),
        name=_first(environ, _CONTAINER_NAMES) or resource.get("k8s.container.name", ""),
        pod=_first(environ, _POD_NAMES)
        or resource.get("k8s.pod.name", "")
        # A pod's host name is the pod's, unless it shares the node's network; then it is in no variable of Kubernetes.
        or (environ.get("HOSTNAME", "") if in_kubernetes else ""),
        namespace=_first(environ, _NAMESPACES) or resource.get("k8s.namespace.name", ""),
        pod_uid=_first(environ, _POD_UIDS) or resource.get("k8s.pod.uid", ""),
    )


def locate(
    cgroups: str,
    *,
    mounts: Callable[[], str],
    environ: Mapping[str, str],
    resource: Mapping[str, str],
    read_file: ReadFile,
    own: Container | None = None,
) -> Container:
    """Everything that is to be known of a process's container. The kernel's word wins over the environment's.

    `own` is the agent's container: what the agent was told of its pod holds for every process of that pod.
    """
    told, named = from_cgroups(cgroups), from_names(environ, resource)
    known = _joined(told, named)
    in_pod = bool(known.pod_uid or known.pod or "KUBERNETES_SERVICE_HOST" in environ)
    if not told.id or in_pod:
        known = _joined(told, from_mounts(mounts()), named)
    if not (known.pod_uid or in_pod):
        return known
    if own is not None and own.pod_uid and own.pod_uid == known.pod_uid:
        known = _joined(known, replace(own, id="", name=""))
    pod = known.pod or _read_first(read_file, _NAME_FILES)
    return replace(known, pod=pod, namespace=known.namespace or _read_first(read_file, _NAMESPACE_FILES))


def _joined(*sources: Container) -> Container:
    """Of each field the first that says something."""

    def first(name: str) -> str:
        return next((value for source in sources if (value := getattr(source, name))), "")

    return Container(**{name: first(name) for name in Container.__dataclass_fields__})


def _first(values: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((values[name].strip() for name in names if values.get(name, "").strip()), "")


def _read_first(read_file: ReadFile, paths: tuple[str, ...]) -> str:
    return next((text for path in paths if (text := read_file(path).strip())), "")


def _dashed(uid: str) -> str:
    return uid.replace("_", "-")
