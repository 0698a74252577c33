// SPDX-License-Identifier: Apache-2.0

import Agent
import CSpawn
import Foundation
import Glibc
import Logging
import ServiceLifecycle
import Synchronization
import Testing

/// Envoy as a process: its end, the agent's end, and the order of things at the end.
@Suite(.timeLimit(.minutes(1))) struct EnvoyProcessTests {
  private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  @Test(arguments: [
    ("exit 0", ProcessExit.code(0), 0), ("exit 3", .code(3), 3),
    ("kill -KILL $$", .signal(9), 137), ("kill -SEGV $$", .signal(11), 139),
  ])
  func `the end of a process is told`(
    _ script: String, _ exit: ProcessExit, _ status: Int32
  ) async throws {
    let process = try await ChildProcess.start("sh", ["-c", script])
    #expect(await process.exit() == exit)
    #expect(exit.status == status)
    // No zombie is left, and a signal to it reaches nobody else.
    #expect(kill(process.pid, 0) == -1)
    process.send(SIGKILL)
    #expect(await process.exit() == exit)
  }

  @Test func `a program that is not there is a sentence`() async {
    let error = await #expect(throws: ChildProcess.Failure.self) {
      _ = try await ChildProcess.start("/nowhere/envoy", [])
    }
    #expect("\(error?.description ?? "")" == "cannot run /nowhere/envoy: No such file or directory")
  }

  @Test func `a process inherits no descriptor and no ignored signal`() async throws {
    let file = open("/dev/null", O_RDONLY)
    defer { close(file) }
    let script = "test ! -e /proc/$$/fd/\(file) && trap - TERM && kill -TERM $$"
    signal(SIGPIPE, SIG_IGN)
    let process = try await ChildProcess.start("sh", ["-c", script])
    #expect(await process.exit() == .signal(SIGTERM))
    let pipe = try await ChildProcess.start("sh", ["-c", "kill -PIPE $$"])
    #expect(await pipe.exit() == .signal(SIGPIPE))
  }

  @Test func `a process ends with the thread that it is tied to`() async throws {
    let pid = await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        var arguments = [strdup("sleep"), strdup("1000"), nil]
        let pid = skiff_spawn("sleep", &arguments)
        for argument in arguments { free(argument) }
        continuation.resume(returning: pid)
      }
    }
    try #require(pid > 0)
    var status: Int32 = 0
    #expect(waitpid(pid, &status, 0) == pid)
    #expect(status & 0x7F == SIGKILL)
  }

  /// Runs a shell script as Envoy in a service group; `drive` decides when to shut down.
  private static func run(
    _ script: String, admin: FakeAdmin, untilNoConnections: Bool = false, inboundOnly: Bool = false,
    drive: @escaping @Sendable (ServiceGroup) async throws -> Void
  ) async throws {
    try await admin.serve { client in
      let process = EnvoyProcess(
        file: "sh", arguments: ["-c", script], admin: client,
        drain: .init(
          minimum: .zero, untilNoConnections: untilNoConnections, inboundOnly: inboundOnly),
        clock: ContinuousClock(), logger: silent)
      let group = ServiceGroup(
        configuration: .init(
          services: [
            .init(
              service: process, successTerminationBehavior: .gracefullyShutdownGroup,
              failureTerminationBehavior: .gracefullyShutdownGroup)
          ], logger: silent))
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await drive(group) }
        try await group.run()
        tasks.cancelAll()
      }
    }
  }

  @Test(arguments: [("exit 7", Int32(7)), ("kill -ABRT $$", 134), ("exit 0", 0)])
  func `Envoy's end is the agent's, with its status`(
    _ script: String, _ status: Int32
  ) async {
    let error = await #expect(throws: EnvoyExit.self) {
      try await Self.run(script, admin: FakeAdmin()) { _ in }
    }
    #expect(error?.status == status)
  }

  /// A script that tells when it is ready, and when it was asked to stop.
  private static func script(_ mark: URL) -> String {
    "trap 'echo stopped >> \(mark.path()); exit 0' TERM; echo started >> \(mark.path()); "
      + "while :; do sleep 0.01; done"
  }

  private static func temporaryFile() -> URL {
    FileManager.default.temporaryDirectory.appending(path: "skiff-\(UUID().uuidString)")
  }

  private static func text(_ file: URL) -> String {
    (try? String(contentsOf: file, encoding: .utf8)) ?? ""
  }

  @Test(arguments: [true, false])
  func `a graceful end drains, then asks Envoy to stop`(_ inboundOnly: Bool) async throws {
    let mark = Self.temporaryFile()
    defer { try? FileManager.default.removeItem(at: mark) }
    let admin = FakeAdmin()
    try await Self.run(Self.script(mark), admin: admin, inboundOnly: inboundOnly) { group in
      while Self.text(mark).isEmpty { await Task.yield() }
      await group.triggerGracefulShutdown()
    }
    let query = inboundOnly ? "inboundonly&graceful" : "graceful"
    #expect(admin.requests == ["POST /drain_listeners?\(query)"])
    #expect(Self.text(mark) == "started\nstopped\n")
  }

  @Test func `connections are waited for where that is asked`() async throws {
    let mark = Self.temporaryFile()
    defer { try? FileManager.default.removeItem(at: mark) }
    let admin = FakeAdmin()
    admin.state.withLock { $0.connections = [2] }
    try await Self.run(Self.script(mark), admin: admin, untilNoConnections: true) { group in
      while Self.text(mark).isEmpty { await Task.yield() }
      await group.triggerGracefulShutdown()
    }
    let stats = "GET /stats?usedonly&filter=%5Elistener.*downstream_cx_active$"
    #expect(admin.requests == ["POST /drain_listeners?graceful", stats, stats])
    #expect(Self.text(mark) == "started\nstopped\n")
  }
}
