// SPDX-License-Identifier: Apache-2.0
// Metrics of a plugin; Envoy shows them as `wasmcustom.NAME` among its own.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#metrics

struct Metric {
  enum Kind: UInt32 {
    case counter = 0
    case gauge = 1
    case histogram = 2
  }

  private let id: UInt32

  /// Defines a metric, or finds the one of that name.
  init(_ kind: Kind, _ name: String) throws(ProxyStatus) {
    var id: UInt32 = 0
    try ProxyStatus.check(name.withPayload { hostDefineMetric(kind.rawValue, $0, $1, &id) })
    self.id = id
  }

  /// Adds to a counter or gauge; only a gauge takes a negative number.
  @discardableResult
  func increment(by delta: Int64 = 1) -> ProxyStatus {
    ProxyStatus(code: hostIncrementMetric(id, delta))
  }

  /// Sets a gauge, or notes a value in a histogram.
  @discardableResult
  func record(_ value: UInt64) -> ProxyStatus {
    ProxyStatus(code: hostRecordMetric(id, value))
  }

  /// The present value of a counter or gauge.
  var value: UInt64? {
    var value: UInt64 = 0
    return hostGetMetric(id, &value) == 0 ? value : nil
  }
}
