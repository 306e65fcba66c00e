"""Arbitrary plans that the configuration would accept."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from analyzer.model.plan import (
    Advance,
    Amount,
    Capacity,
    CapacityMode,
    Gate,
    GateTimeout,
    OnInconclusive,
    OnRegression,
    Plan,
    Promotion,
    Step,
)

hold = st.sampled_from([timedelta(0), timedelta(minutes=1)])
gates = st.sampled_from(
    [None, None, Gate(), Gate(timedelta(hours=1), GateTimeout.HOLD), Gate(timedelta(hours=1), GateTimeout.ROLLBACK)]
)
amounts = st.one_of(
    st.integers(0, 3).map(Amount), st.sampled_from([0, 10, 25, 50, 100]).map(lambda share: Amount(share, percent=True))
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    mode, promote = draw(
        st.sampled_from(
            [
                (mode, promote)
                for mode in CapacityMode
                for promote in Promotion
                if (mode, promote) != (CapacityMode.SURGE, Promotion.SWAP)  # the configuration refuses this pair
            ]
        )
    )
    most = 50 if mode is CapacityMode.SURGE else 99
    weights = sorted(draw(st.lists(st.integers(1, most), min_size=1, max_size=3)))
    surge, missing = draw(amounts), draw(amounts)
    if surge.value == 0 and missing.value == 0:
        surge = Amount(1)
    return Plan(
        steps=tuple(Step(weight, draw(hold), draw(gates)) for weight in weights),
        capacity=Capacity(mode, surge, missing),
        promote=promote,
        advance=draw(st.sampled_from(Advance)),
        bake=draw(st.sampled_from([timedelta(0), timedelta(minutes=5), timedelta(minutes=30)])),
        holdback=draw(st.integers(0, 3)) if promote is Promotion.SWAP else 0,
        on_regression=draw(st.sampled_from(OnRegression)),
        deadline=timedelta(minutes=30),
        on_inconclusive=draw(st.sampled_from(OnInconclusive)),
    )
