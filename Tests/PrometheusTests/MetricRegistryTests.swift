// SPDX-License-Identifier: Apache-2.0

import Prometheus
import Testing

/// The text that Prometheus scrapes.
@Suite struct MetricRegistryTests {
  @Test func `metrics print in name order with help, type and sorted series`() {
    let registry = MetricRegistry()
    let rejects = registry.counter("pilot_total_xds_rejects", help: "NACKs.", labels: ["type"])
    let uptime = registry.gauge("istiod_uptime_seconds", help: "Age.")
    rejects.increment("b")
    rejects.increment(by: 2, "a\"\\\n")
    uptime.set(1.5)
    #expect(
      registry.exposition() == """
        # HELP istiod_uptime_seconds Age.
        # TYPE istiod_uptime_seconds gauge
        istiod_uptime_seconds 1.5
        # HELP pilot_total_xds_rejects NACKs.
        # TYPE pilot_total_xds_rejects counter
        pilot_total_xds_rejects{type="a\\"\\\\\\n"} 2
        pilot_total_xds_rejects{type="b"} 1

        """)
  }

  @Test func `a counter without labels is there before it counts`() {
    let registry = MetricRegistry()
    _ = registry.counter("x_total", help: "X.")
    #expect(registry.exposition() == "# HELP x_total X.\n# TYPE x_total counter\nx_total 0\n")
  }

  @Test func `histogram buckets are cumulative and a bound belongs to its bucket`() {
    let registry = MetricRegistry()
    let time = registry.histogram("t", help: "T.", labels: ["type"], buckets: [0.1, 1])
    time.observe(0.1, "cds")
    time.observe(.milliseconds(500), "cds")
    time.observe(7, "cds")
    #expect(
      registry.exposition() == """
        # HELP t T.
        # TYPE t histogram
        t_bucket{type="cds",le="0.1"} 1
        t_bucket{type="cds",le="1"} 2
        t_bucket{type="cds",le="+Inf"} 3
        t_sum{type="cds"} 7.6
        t_count{type="cds"} 3

        """)
  }

  @Test func `replacing the series of a gauge removes those that are not named`() {
    let registry = MetricRegistry()
    let versions = registry.gauge("pilot_xds", help: "Proxies.", labels: ["version"])
    versions.set(3, "1.0")
    versions.replace([["1.1"]: 2])
    #expect(
      registry.exposition()
        == "# HELP pilot_xds Proxies.\n# TYPE pilot_xds gauge\npilot_xds{version=\"1.1\"} 2\n")
  }
}
