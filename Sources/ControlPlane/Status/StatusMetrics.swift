// SPDX-License-Identifier: Apache-2.0

import Prometheus

/// What the status of objects costs.
struct StatusMetrics: Sendable {
  let statuses: Counter
  let events: Counter

  init(in registry: MetricRegistry) {
    statuses = registry.counter(
      "skiff_status_writes_total",
      help: "Objects of the control API whose measured status was written.")
    events = registry.counter(
      "skiff_status_events_total",
      help: "Events about objects of the control API that were written.")
  }
}
