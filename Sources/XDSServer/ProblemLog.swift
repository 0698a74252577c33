// SPDX-License-Identifier: Apache-2.0

import Logging
import MeshModel
import Prometheus
import Synchronization

/// Says once what is wrong with the configuration, and once that it is mended.
final class ProblemLog: Sendable {
  private let problems = Mutex<Set<ConfigError>>([])
  private let metrics: ServerMetrics
  private let logger: Logger

  init(metrics: ServerMetrics, logger: Logger) {
    self.metrics = metrics
    self.logger = logger
  }

  /// By object, then path.
  var current: [ConfigError] {
    problems.withLock { $0.sorted { "\($0)" < "\($1)" } }
  }

  /// Takes all problems in force; logs those that are new.
  func update(_ all: some Sequence<ConfigError>) {
    let now = Set(all)
    let (new, mended) = problems.withLock { problems in
      defer { problems = now }
      return (now.subtracting(problems), problems.subtracting(now))
    }
    for problem in new.sorted(by: { "\($0)" < "\($1)" }) {
      logger.log(
        level: problem.severity == .error ? .error : .warning, "configuration problem",
        metadata: ["problem": "\(problem)", "code": "\(problem.code.rawValue)"])
    }
    for problem in mended.sorted(by: { "\($0)" < "\($1)" }) {
      logger.info("configuration problem is gone", metadata: ["problem": "\(problem)"])
    }
    let rejected = now.filter { $0.severity == .error }.compactMap(\.object)
    metrics.rejectedConfigs.replace(
      rejected.reduce(into: [:]) { series, object in
        series[[object.kind.kind.lowercased(), "\(object.namespace)/\(object.name)"]] = 1
      })
  }
}
