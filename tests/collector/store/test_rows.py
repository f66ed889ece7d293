"""Samples on their way into the store."""

import numpy as np
from pivotscope_collector.store.rows import Samples


def test_samples_are_ordered_by_stack_within_their_windows() -> None:
    """Each row stays whole, windows stay where they are, and rows of one stack stay as they came."""
    high, low = 2**63 + 7, 2**62 + 5
    samples = Samples(
        window=np.array([0, 0, 0, 1, 1], np.int64),
        stack_id=np.array([high, low, high, high, low], np.uint64),
        line=np.array([3, 1, 2, 5, 4], np.uint32),
        count=np.array([30, 10, 20, 50, 40], np.uint32),
        native=np.array([1, 0, 2, 4, 3], np.uint32),
    )
    ordered = samples.ordered()
    assert ordered.window.tolist() == [0, 0, 0, 1, 1]
    assert ordered.stack_id.tolist() == [low, high, high, low, high]
    assert ordered.line.tolist() == [1, 3, 2, 4, 5]
    assert ordered.count.tolist() == [10, 30, 20, 40, 50]
    assert ordered.native.tolist() == [0, 1, 2, 3, 4]
