from __future__ import annotations

from grove.contracts import documentation_table


def test_one_line_per_contract_states_its_retention() -> None:
    lines = documentation_table().splitlines()
    assert len(lines) == 2 + 19
    kept = {line.split("|")[1].split("`")[1]: line.split("|")[4].strip() for line in lines[2:]}
    assert kept["interactions"] == "400"
    assert kept["items"] == "forever"
    assert kept["feed_events"] == "a setting"
