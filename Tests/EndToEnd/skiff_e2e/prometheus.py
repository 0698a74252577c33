# SPDX-License-Identifier: Apache-2.0
"""A reader of the Prometheus text format that is as strict as its specification.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
_SAMPLE = re.compile(
    rf"({_NAME})(?:\{{((?:{_LABEL},?)*)\}})? (NaN|[+-]?Inf|[-+0-9.eE]+)(?: -?\d+)?"
)
_SUFFIXES = {
    "counter": ("",),
    "gauge": ("",),
    "untyped": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("", "_sum", "_count"),
}


@dataclass
class Family:
    """A metric: its kind, and its series.

    A series is named by its labels as text, `{a="b"}`; in histograms and summaries with the name.
    """

    kind: str
    samples: dict[str, float] = field(default_factory=dict)


def parse(text: str) -> dict[str, Family]:
    """The families of an exposition, by name. What the format forbids is an AssertionError."""
    assert text.endswith("\n")
    families: dict[str, Family] = {}
    helped: set[str] = set()
    current = ""
    for line in text.splitlines():
        if match := re.fullmatch(rf"# HELP ({_NAME}) .*", line):
            assert match[1] not in helped, f"a second help: {line}"
            assert match[1] not in families, f"help after its family: {line}"
            helped.add(match[1])
            continue
        if match := re.fullmatch(rf"# TYPE ({_NAME}) (\w+)", line):
            name, kind = match.groups()
            assert name not in families, f"a second or late type: {line}"
            assert kind in _SUFFIXES, f"an unknown type: {line}"
            families[name] = Family(kind)
            current = name
            continue
        if line.startswith("#") or not line:
            continue
        match = _SAMPLE.fullmatch(line)
        assert match, f"not a sample: {line}"
        name, labels, value = match[1], match[2] or "", float(match[5])
        keys = [key for key, _ in re.findall(_LABEL, labels)]
        assert len(keys) == len(set(keys)), f"a label twice: {line}"
        owner = _owner(name, families, current)
        assert owner == current, f"apart from its family: {line}"
        family = families[owner]
        series = f"{{{labels}}}" if labels else ""
        if family.kind in ("histogram", "summary"):
            series = name + series
        assert series not in family.samples, f"a second time: {line}"
        assert family.kind != "counter" or value >= 0, f"a negative counter: {line}"
        family.samples[series] = value
    for name, family in families.items():
        if family.kind == "histogram":
            _check_histogram(name, family)
    return families


def _owner(name: str, families: dict[str, Family], current: str) -> str:
    """The family of a sample; one without a type line has a family of its own."""
    if current and name in [current + suffix for suffix in _SUFFIXES[families[current].kind]]:
        return current
    raise AssertionError(f"{name} has no type, or not the one of {current} before it")


def _check_histogram(name: str, family: Family) -> None:
    """Buckets rise to the one of all, which is the count."""
    series: dict[str, list[tuple[float, float]]] = {}
    for sample, value in family.samples.items():
        if sample.startswith(f"{name}_bucket"):
            (bound,) = re.findall(r'le="([^"]*)"', sample)
            rest = re.sub(r',?le="[^"]*",?', "", sample.removeprefix(f"{name}_bucket"))
            series.setdefault(rest.replace("{}", ""), []).append((float(bound), value))
    for labels, buckets in series.items():
        assert buckets == sorted(buckets), f"buckets of {name}{labels} do not rise: {buckets}"
        assert [value for _, value in buckets] == sorted(value for _, value in buckets)
        assert buckets[-1][0] == float("inf"), f"{name}{labels} has no bucket for all"
        assert buckets[-1][1] == family.samples[f"{name}_count{labels}"]
        assert f"{name}_sum{labels}" in family.samples
