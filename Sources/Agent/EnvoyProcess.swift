// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Logging
import ServiceLifecycle

/// Envoy has ended by itself, and so does its agent.
///
/// As in Istio, whose agent never starts Envoy again: whoever runs the agent (systemd, Kubernetes)
/// has a policy, a backoff and a count of restarts, and must see the crash. Istio's agent returns 0 then;
/// this one passes the status on, which is what tells an orchestrator a crash from an end.
package struct EnvoyExit: Error, Hashable, Sendable {
  /// Envoy's exit code, or 128 and the number of the signal that killed it.
  package var status: Int32
}

/// Envoy beside its agent: starts with it, ends with it, and drains before.
package struct EnvoyProcess: Service {
  /// How connections are let go of at the end; Istio's settings.
  package struct Drain: Hashable, Sendable {
    /// `MINIMUM_DRAIN_DURATION`: new connections may come until endpoints are known to be gone.
    package var minimum: Duration
    /// `EXIT_ON_ZERO_ACTIVE_CONNECTIONS`: after the minimum, wait until no client is connected.
    package var untilNoConnections: Bool
    /// Sidecars drain what comes in; their application may still call others.
    package var inboundOnly: Bool

    package init(minimum: Duration, untilNoConnections: Bool, inboundOnly: Bool) {
      self.minimum = minimum
      self.untilNoConnections = untilNoConnections
      self.inboundOnly = inboundOnly
    }
  }

  private let file: String
  private let arguments: [String]
  private let admin: EnvoyAdmin
  private let drain: Drain
  private let clock: any Clock<Duration>
  private let logger: Logger

  /// What Envoy gets that is asked to stop, before it is killed.
  private static let terminationLimit = Duration.seconds(10)

  private enum Event {
    case exited(ProcessExit)
    case asked
    case cancelled
  }

  /// Makes an Envoy that is not started yet.
  ///
  /// - Parameters:
  ///   - file: a path, or a name to look for in PATH.
  ///   - arguments: its command line, without its name.
  ///   - admin: where it is asked to drain.
  ///   - drain: how.
  ///   - clock: measures the drain.
  ///   - logger: where to tell.
  package init(
    file: String, arguments: [String], admin: EnvoyAdmin, drain: Drain,
    clock: any Clock<Duration>, logger: Logger
  ) {
    self.file = file
    self.arguments = arguments
    self.admin = admin
    self.drain = drain
    self.clock = clock
    self.logger = logger
  }

  /// Runs Envoy until the graceful shutdown.
  ///
  /// - Throws: `EnvoyExit` where Envoy ends before.
  package func run() async throws {
    let process = try await ChildProcess.start(file, arguments)
    logger.info(
      "Envoy runs", metadata: ["pid": "\(process.pid)", "file": "\(file)"])
    try await withThrowingTaskGroup(of: Event.self) { group in
      group.addTask { .exited(await process.exit()) }
      group.addTask {
        do { try await gracefulShutdown() } catch { return .cancelled }
        return .asked
      }
      switch try await group.next() {
      case .exited(let exit):
        group.cancelAll()
        logger.error("Envoy has ended", metadata: ["exit": "\(exit)"])
        throw EnvoyExit(status: exit.status)
      case .asked:
        group.addTask {
          await end(process)
          return .asked
        }
        while case .asked? = try await group.next() {}
        logger.info("Envoy has ended")
      case .cancelled, nil:
        // Another part of the agent failed: there is nobody to drain for.
        process.send(SIGKILL)
        _ = await process.exit()
      }
      group.cancelAll()
    }
  }

  /// Drains, asks Envoy to stop, and insists.
  private func end(_ process: ChildProcess) async {
    await drainConnections()
    process.send(SIGTERM)
    // Cancelled when Envoy has ended.
    guard (try? await clock.sleep(for: Self.terminationLimit)) != nil else { return }
    logger.warning("Envoy does not stop; it is killed")
    process.send(SIGKILL)
  }

  private func drainConnections() async {
    do {
      try await admin.drainListeners(inboundOnly: drain.inboundOnly)
      logger.info("Envoy drains", metadata: ["minimum": "\(drain.minimum.inMilliseconds)"])
      try await clock.sleep(for: drain.minimum)
      while drain.untilNoConnections, try await admin.activeConnections() > 0 {
        try await clock.sleep(for: .seconds(1))
      }
    } catch is CancellationError {
      // Envoy has ended meanwhile.
    } catch {
      logger.warning("Envoy cannot be drained", metadata: ["reason": "\(error)"])
    }
  }
}

extension EnvoyProcess {
  /// Envoy's command line: what the agent needs, then the operator's own.
  ///
  /// As in Istio, Envoy closes what it drains at once and shares no memory with another Envoy; both
  /// only where the operator says nothing of it.
  package static func commandLine(bootstrap: String, operatorArguments: [String]) -> [String] {
    func says(_ flags: String...) -> Bool {
      operatorArguments.contains { argument in
        flags.contains { argument == $0 || argument.hasPrefix("\($0)=") }
      }
    }
    var arguments = ["-c", bootstrap]
    if !says("--drain-strategy") { arguments += ["--drain-strategy", "immediate"] }
    if !says("--drain-time-s") { arguments += ["--drain-time-s", "45"] }
    if !says(
      "--base-id", "--use-dynamic-base-id", "--restart-epoch", "--disable-hot-restart")
    {
      arguments.append("--disable-hot-restart")
    }
    return arguments + operatorArguments
  }
}
