// SPDX-License-Identifier: Apache-2.0

import APIServer
import ConfigStore
import HTTPTypes
import JSON
import Manifests
import MeshModel
import ObjectStore
import Synchronization
import Testing

/// What of the store is configuration, and what is not.
@Suite struct StoreSourceTests {
  /// What a source delivers, a line for each object.
  private final class Recorder: Sendable {
    private let lines = Mutex<[String]>([])
    private let signal = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    func take(_ events: [ConfigEvent]) {
      lines.withLock { lines in
        for event in events {
          switch event {
          case .apply(let object) where object.ref.kind == .wasmPlugin:
            lines.append("\(object.ref) \(object.meta.generation)")
          case .delete(let ref): lines.append("\(ref) gone")
          case .apply, .listBegan, .listEnded, .problems: break
          }
        }
      }
      signal.continuation.yield()
    }

    /// All lines, once one of them is there.
    func lines(to last: String) async -> [String] {
      for await _ in signal.stream {
        let lines = self.lines.withLock { $0 }
        if lines.contains(last) { return lines }
      }
      return []
    }
  }

  @Test func `how objects fare is no configuration`() async throws {
    let client = APIClient()
    let plugins = APIClient.plugins
    _ = await client.send(.post, plugins, APIClient.plugin("a"))
    let source = StoreSource(store: client.store, reader: ManifestReader())
    let recorder = Recorder()
    await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await source.run { recorder.take($0) } }
      #expect(await recorder.lines(to: "WasmPlugin default/a 1") == ["WasmPlugin default/a 1"])
      let writer = ObjectStatusWriter(store: client.store, now: { APIClient.now })
      let status = MeasuredStatus(
        conditions: [Condition(kind: .programmed, isTrue: true, reason: "Programmed", message: "")],
        proxies: .init(total: 1, programmed: 1, pending: 0, rejected: 0))
      let outcome = await writer.write(
        await writer.subjects().map { (subject: $0, status: status) }, at: .now)
      #expect(outcome == .init(statuses: 1, events: 1))
      let patch: JSONValue = ["status": ["note": "by hand"]]
      _ = await client.send(
        .patch, "\(plugins)/a/status", patch, type: "application/merge-patch+json")
      _ = await client.send(.post, plugins, APIClient.plugin("b"))
      #expect(
        await recorder.lines(to: "WasmPlugin default/b 1")
          == ["WasmPlugin default/a 1", "WasmPlugin default/b 1"])
      group.cancelAll()
    }
  }
}
