"""Two workers, metrics gathered over both."""

from prometheus_client import multiprocess

workers = 2
worker_class = "gthread"
threads = 2
preload_app = True
accesslog = None
graceful_timeout = 2
control_socket_disable = True


def child_exit(_server, worker):
    """Forget the gauges of a worker that is gone."""
    multiprocess.mark_process_dead(worker.pid)
