from typing import Any

import pytest
from pivotscope_agent.targets.container import Container, from_cgroups, from_mounts, from_names, locate

ID = "ab" * 32
OTHER = "cd" * 32
UID = "0f3a1b2c-1111-2222-3333-444455556666"
UNDERSCORED = UID.replace("-", "_")


@pytest.mark.parametrize(
    ("name", "text", "container", "pod"),
    [
        ("no container", "0::/user.slice/user-1000.slice/session-1.scope\n", "", ""),
        ("docker, v1", f"12:pids:/docker/{ID}\n11:cpu,cpuacct:/docker/{ID}\n1:name=systemd:/docker/{ID}\n", ID, ""),
        ("docker, v1, some controllers at the top", f"9:name=systemd:/\n4:memory:/docker/{ID}\n0::/\n", ID, ""),
        ("docker, v2 by systemd", f"0::/system.slice/docker-{ID}.scope\n", ID, ""),
        ("docker, a group within the container", f"0::/system.slice/docker-{ID}.scope/init.scope\n", ID, ""),
        ("docker in docker", f"0::/docker/{OTHER}/docker/{ID}\n", ID, ""),
        ("containerd, v1", f"5:cpu:/kubepods/burstable/pod{UID}/{ID}\n", ID, UID),
        (
            "containerd, v2 by systemd",
            f"0::/kubepods.slice/kubepods-burstable-pod{UNDERSCORED}.slice/cri-containerd-{ID}.scope\n",
            ID,
            UID,
        ),
        (
            "containerd, its driver and the kubelet's differ",
            f"0::/system.slice/containerd.service/kubepods-besteffort-pod{UNDERSCORED}.slice:cri-containerd:{ID}\n",
            ID,
            UID,
        ),
        ("containerd, guaranteed", f"0::/kubepods/pod{UID}/{ID}\n", ID, UID),
        ("containerd, a pod of the node", f"0::/kubepods/pod{'12' * 16}/{ID}\n", ID, "12" * 16),
        (
            "cri-o",
            f"0::/kubepods.slice/kubepods-pod{UNDERSCORED}.slice/crio-{ID}.scope/container\n",
            ID,
            UID,
        ),
        ("cri-o's monitor", f"0::/kubepods.slice/kubepods-pod{UNDERSCORED}.slice/crio-conmon-{ID}.scope\n", "", UID),
        ("podman, as root", f"0::/machine.slice/libpod-{ID}.scope/container\n", ID, ""),
        (
            "podman, as a user",
            f"0::/user.slice/user-1000.slice/user@1000.service/libpod-{ID}.scope/container\n",
            ID,
            "",
        ),
        ("podman's monitor", f"0::/machine.slice/libpod-conmon-{ID}.scope\n", "", ""),
        ("podman, without systemd", f"0::/libpod_parent/libpod-{ID}\n", ID, ""),
        ("ECS", f"9:memory:/ecs/{'9a' * 16}/{'9a' * 16}-1234567890\n", f"{'9a' * 16}-1234567890", ""),
        ("seen from a sidecar", f"0::/../cri-containerd-{ID}.scope\n", ID, ""),
        ("a cgroup namespace of its own", "0::/\n", "", ""),
    ],
)  # fmt: skip
def test_control_groups(name: str, text: str, container: str, pod: str) -> None:
    found = from_cgroups(text)
    assert (found.id, found.pod_uid) == (container, pod), name


MOUNTS = f"""\
600 599 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/containers/x
610 600 254:1 /var/lib/kubelet/pods/{UID}/etc-hosts /etc/hosts rw - ext4 /dev/vda1 rw
611 600 254:1 /var/lib/kubelet/pods/{UID}/containers/app/1b2c3d4e /dev/termination-log rw - ext4 /dev/vda1 rw
"""


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("plain", "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n", Container()),
        (
            "docker",
            f"9 8 254:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /d rw\n",
            Container(ID),
        ),
        (
            "podman",
            f"9 8 0:24 /containers/storage/overlay-containers/{ID}/userdata/hosts /etc/hosts rw - tmpfs tmpfs rw\n",
            Container(ID),
        ),
        ("Kubernetes", MOUNTS, Container(name="app", pod_uid=UID)),
    ],
)
def test_mounts(name: str, text: str, expected: Container) -> None:
    assert from_mounts(text) == expected, name


def test_names_of_the_downward_api() -> None:
    environ = {"POD_NAME": "web-1", "POD_NAMESPACE": "shop", "CONTAINER_NAME": "app"}
    assert from_names(environ, {}) == Container(name="app", pod="web-1", namespace="shop")
    resource = {"k8s.pod.name": "web-2", "k8s.namespace.name": "shop", "k8s.container.name": "app"}
    assert from_names({}, resource) == Container(name="app", pod="web-2", namespace="shop")
    assert from_names({"HOSTNAME": "laptop"}, {}) == Container()
    assert from_names({"HOSTNAME": "web-3", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {}).pod == "web-3"


def located(cgroups: str, **sources: Any) -> Container:
    nothing: dict[str, Any] = {"mounts": lambda: "", "environ": {}, "resource": {}, "read_file": lambda _: ""}
    return locate(cgroups, **(nothing | sources))


def test_a_pod_is_located_by_all_that_tells_of_it() -> None:
    files = {"/var/run/secrets/kubernetes.io/serviceaccount/namespace": "shop\n", "/etc/podinfo/name": "web-1\n"}
    cgroups = f"0::/kubepods/pod{UID}/{ID}\n"
    found = located(cgroups, mounts=lambda: MOUNTS, read_file=lambda path: files.get(path, ""))
    assert found == Container(ID, "app", "web-1", "shop", UID)
    assert str(found) == f"shop/web-1/app@{ID[:12]}"


def test_what_the_agent_was_told_of_its_pod_holds_for_the_pods_processes_only() -> None:
    own = Container(OTHER, "agent", "web-1", "shop", UID)
    beside = located(f"0::/kubepods/pod{UID}/{ID}\n", own=own)
    assert (beside.id, beside.name, beside.pod, beside.namespace) == (ID, "", "web-1", "shop")
    elsewhere = located(f"0::/kubepods/pod{'12' * 16}/{ID}\n", own=own)
    assert (elsewhere.pod, elsewhere.namespace) == ("", "")


def test_outside_of_kubernetes_no_file_is_read() -> None:
    def read(path: str) -> str:
        raise AssertionError(path)

    found = located(f"0::/system.slice/docker-{ID}.scope\n", environ={"HOSTNAME": "x"}, read_file=read)
    assert str(found) == ID[:12]
    assert str(located("0::/\n", read_file=read)) == ""
