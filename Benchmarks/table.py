# SPDX-License-Identifier: Apache-2.0
"""Prints what scripts/bench.sh measured as a Markdown table; docs/performance.md explains the rows."""

import json
import pathlib
import sys


class Results:
    def __init__(self, directory):
        self.runs = {
            path.stem: json.loads(path.read_text())
            for path in pathlib.Path(directory).glob("*.json") if path.stat().st_size
        }
        self.translations = {
            path.stem: float(path.read_text())
            for path in pathlib.Path(directory).glob("*.translations")
        }

    def get(self, run, *keys):
        """The value under the keys of a run; None where the run did not come to its end."""
        value = self.runs.get(run)
        for key in keys:
            value = value.get(key) if value else None
        return value


def row(what, value, target, comparison=""):
    print(f"| {what} | {value} | {target} | {comparison} |")


def text(value, form):
    return "–" if value is None else form.format(value)


def pushes(results, counts):
    for config, size, limit in (("small", "2.4 KB", 2.2), ("large", "101 KB", 1.7)):
        for count in counts:
            keys = "push", "cpu_us_per_proxy"
            floor = results.get(f"floor-{config}-{count}", *keys)
            ours = results.get(f"skiffd-{config}-{count}", *keys)
            ratio = ours / floor if ours and floor else None
            detail = f"floor {text(floor, '{:.1f} µs')}, skiffd {text(ours, '{:.1f} µs')}"
            row(f"CPU per proxy and push, {size} × {count}, over the floor", text(ratio, "{:.2f} ×"),
                f"≤ {limit} ×", detail)
    one = results.get("skiffd-small-1", "push", "cpu_us_per_proxy")
    row("CPU of a push however many proxies there are, 2.4 KB", text(one, "{:.0f} µs"), "")


def memory(results, counts):
    for count in counts:
        value = results.get(f"skiffd-small-{count}", "memory", "kib_per_proxy")
        row(f"memory per connected proxy, {count} proxies", text(value, "{:.1f} KiB"), "≤ 22 KiB")


def services(results):
    run = "skiffd-services"
    cpu = results.get(run, "push", "cpu_us_per_proxy")
    times = [text(results.get(run, "push", f"{name}_ms"), "{:.0f}") for name in
             ("first", "median", "last")]
    size = results.get(run, "push", "bytes")
    proxies = results.get(run, "proxies")
    row("one-line edit of one route, 1,000 services: CPU per proxy",
        text(cpu and cpu / 1000, "{:.2f} ms"), "≤ 1.5 ms",
        text(size and proxies and size / proxies / 1000, "{:.0f} KB each"))
    row("  to the first, median, last proxy", " / ".join(times) + " ms", "")
    connect = results.get(run, "connect", "cpu_us_per_proxy")
    row("connecting a proxy with that configuration, CPU",
        text(connect and connect / 1000, "{:.2f} ms"), "≤ 3 ms")
    row("memory per proxy with that configuration",
        text(results.get(run, "memory", "kib_per_proxy"), "{:.1f} KiB"), "≤ 30 KiB")
    made = results.translations.get(run)
    versions = 1 + len(results.get(run, "pushes") or [])
    row("translations for N proxies of one class, per version",
        text(made and made / versions, "{:.2f}"), "1",
        f"{text(made, '{:.0f}')} for {versions} versions")
    run = "skiffd-nothing"
    row("bytes sent when an edit changes nothing for the proxies",
        text(results.get(run, "push", "bytes"), "{}"), "0",
        text(results.get(run, "push", "cpu_us_per_proxy"), "{:.1f} µs of CPU per proxy"))


def filters(results):
    """The same routes with and without 500 EnvoyFilters: what the patches cost."""
    def pair(form, *keys):
        values = [results.get(f"skiffd-{name}-1", *keys) for name in ("filters", "services")]
        return [text(value and value / 1000, form) for value in values]

    cpu, plain = pair("{:.0f} ms", "push", "cpu_us_per_proxy")
    row("one-line edit of one of 500 EnvoyFilters × 10 patches, 1,000 routes: CPU", cpu, "",
        f"of one route without EnvoyFilters {plain}")
    memory, plain = pair("{:.0f} MB", "memory", "after_kib")
    row("  memory of skiffd after ten such edits", memory, "", f"without EnvoyFilters {plain}")


def stopped(results):
    def growth(run):
        after = results.get(run, "memory", "after_kib")
        return after and after - results.get(run, "memory", "connected_kib")

    row("one stopped reader among 1,000, 101 KB: growth of the server in all pushes",
        text(growth("skiffd-stopped"), "{:.0f} KiB"), "one pending push",
        "without it " + text(growth("skiffd-large-1000"), "{:.0f} KiB"))
    row("  to the last of the others",
        text(results.get("skiffd-stopped", "push", "last_ms"), "{:.0f} ms"), "no delay",
        "without it " + text(results.get("skiffd-large-1000", "push", "last_ms"), "{:.0f} ms"))
    row("rejected by all: responses per proxy and push",
        text(results.get("skiffd-rejected", "push", "responses"), "{}"), "as many as proxies",
        text(results.get("skiffd-rejected", "proxies"), "{} proxies"))


def main():
    results = Results(sys.argv[1])
    counts = [int(count) for count in sys.argv[2:]]
    print("| what | measured | target | |")
    print("|---|---|---|---|")
    pushes(results, counts)
    memory(results, counts)
    services(results)
    filters(results)
    stopped(results)


if __name__ == "__main__":
    main()
