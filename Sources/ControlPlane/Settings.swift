// SPDX-License-Identifier: Apache-2.0

package import Logging
package import Serving

/// How a control plane runs: parsed once from flags and environment, then handed down.
package struct Settings: Sendable {
  package var configDirectories: [String]
  /// A file with the mesh configuration, which overrides that of the objects; nil for none.
  package var meshConfigFile: String?
  /// ADS and health over gRPC; 15010 is Istio's plaintext port.
  package var grpcAddress = HostPort(host: "127.0.0.1", port: 15010)
  /// Debug pages and readiness.
  package var httpAddress = HostPort(host: "127.0.0.1", port: 8080)
  /// Prometheus metrics.
  package var monitoringAddress = HostPort(host: "127.0.0.1", port: 15014)
  /// The control API; nil serves none.
  package var api: APISettings?
  package var logLevel = Logger.Level.info
  package var logFormat = LogFormat.text
  /// Configuration is quiet this long before it is pushed.
  package var debounceAfter = Duration.milliseconds(100)
  /// A change waits no longer than this, however busy the source is.
  package var debounceMax = Duration.seconds(10)
  /// How often directories are read again without a notification.
  package var rescanInterval = Duration.seconds(30)

  package init(configDirectories: [String]) { self.configDirectories = configDirectories }
}
