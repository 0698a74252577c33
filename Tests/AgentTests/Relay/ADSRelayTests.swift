// SPDX-License-Identifier: Apache-2.0

import Agent
import EnvoyAPI
import GRPC
import MeshModel
import Prometheus
import Testing
import WasmModules

/// The relay on sockets, between a control plane and an Envoy that the test plays.
@Suite(.timeLimit(.minutes(1))) struct ADSRelayTests {
  private let ecds = TypeURL.extensionConfig

  @Test func `bytes pass, a module is fetched, and both hear of it`() async throws {
    try await RunningRelay.with { relay async throws in
      try await relay.withUpstream { upstream async throws in
        let envoy = try await relay.connectEnvoy()
        envoy.send(.cluster)
        #expect(await upstream.next(2) == ["opened", "CDS"])
        upstream.send(Resources.response(.cluster, "c1", version: "v1", [Resources.plain("c")]))
        #expect(try await envoy.accept() == "CDS [c@1]")
        #expect(await upstream.next() == ["CDS version=v1 nonce=c1"])

        envoy.send(ecds, ["a", "b"])
        #expect(await upstream.next() == ["ECDS a b"])
        upstream.send(
          Resources.response(
            ecds, "e1", version: "v1", [Resources.plugin("a"), Resources.plain("b")]))
        #expect(await upstream.next() == ["a fetching"])
        #expect(try await envoy.accept(["a", "b"]) == "ECDS [b@1]")
        relay.modules.end("http://m/a.wasm", path: "/a")
        #expect(try await envoy.accept(["a", "b"]) == "ECDS [a@1 file=/a]")
        #expect(await upstream.next(2) == ["a ready", "ECDS a b version=v1 nonce=e1"])
        #expect(relay.modules.inUse == ["/a"])
        #expect(relay.relay.status.served == 1)
        #expect(relay.relay.status.modules.map(\.phase) == [.ready])
        #expect(
          relay.registry.exposition().contains(
            "skiff_agent_wasm_module{plugin=\"a\",phase=\"ready\"} 1\n"))
        #expect(
          relay.registry.exposition().contains(
            "istio_agent_wasm_config_conversion_count{result=\"success\"} 1\n"))
        try await envoy.close()
        #expect(await upstream.next() == ["closed"])
        // What goes away takes nothing from an Envoy that was served.
        #expect(relay.relay.status.wasServed)
        #expect(relay.relay.status.streams == 0 && relay.relay.status.modules.isEmpty)
        #expect(!relay.registry.exposition().contains("plugin=\"a\",phase"))
      }
    }
  }

  @Test func `a slow module delays no other type`() async throws {
    try await RunningRelay.with { relay async throws in
      try await relay.withUpstream { upstream async throws in
        let envoy = try await relay.connectEnvoy()
        envoy.send(ecds, ["a"])
        envoy.send(.route, ["r"])
        _ = await upstream.next(3)
        upstream.send(Resources.response(ecds, "e1", version: "v1", [Resources.plugin("a")]))
        for round in 1...100 {
          upstream.send(
            Resources.response(.route, "r\(round)", version: "\(round)", [Resources.plain("r")]))
          #expect(try await envoy.accept(["r"]) == "RDS [r@1]")
        }
        relay.modules.end("http://m/a.wasm", path: "/a")
        #expect(try await envoy.accept(["a"]) == "ECDS [a@1 file=/a]")
      }
    }
  }

  @Test func `a failed fetch is refused, logged, tried again and delivered`() async throws {
    try await RunningRelay.with { relay async throws in
      try await relay.withUpstream { upstream async throws in
        let envoy = try await relay.connectEnvoy()
        envoy.send(ecds, ["a"])
        _ = await upstream.next(2)
        let secret = "http://user:pass@m/a.wasm"
        relay.modules.end(
          secret, with: .failure(ModuleError(.checksumMismatched, "expected sha256 1, found 2")))
        upstream.send(
          Resources.response(ecds, "e1", version: "v1", [Resources.plugin("a", url: secret)]))
        let reason =
          "extension config a: Wasm module http://m/a.wasm: checksum_mismatched: "
          + "expected sha256 1, found 2"
        #expect(
          await upstream.next(3) == ["a fetching", "a failed", "ECDS a nonce=e1 error=\(reason)"])
        relay.modules.end(secret, path: "/a")
        #expect(try await envoy.accept(["a"]) == "ECDS [a@1 file=/a]")
        #expect(
          await upstream.next(3) == ["a failed", "a ready", "ECDS a version=v1 nonce=e1"])
        #expect(
          relay.log.text.contains(
            "fetching a Wasm module failed attempt=1 error=checksum_mismatched: expected sha256 1, "
              + "found 2 nextTry=1ms plugin=a resource=a url=http://m/a.wasm"))
        #expect(!relay.log.text.joined().contains("pass"))
        let text = relay.registry.exposition()
        #expect(
          text.contains(
            "skiff_agent_wasm_fetches_total{plugin=\"a\",result=\"checksum_mismatched\"} 1\n"))
        #expect(
          text.contains("skiff_agent_wasm_fetches_total{plugin=\"a\",result=\"success\"} 1\n"))
      }
    }
  }

  @Test func `an Envoy that is there before skiffd is served when skiffd comes`() async throws {
    try await RunningRelay.with { relay async throws in
      let envoy = try await relay.connectEnvoy()
      envoy.send(.cluster, version: "v0")
      envoy.send(ecds, ["a"])
      while relay.registry.exposition().contains("istio_agent_istiod_connection_failures 0") {
        await Task.yield()
      }
      try await relay.withUpstream { upstream async throws in
        #expect(await upstream.next(3) == ["opened", "CDS version=v0", "ECDS a"])
      }
    }
  }

  @Test func `Envoy's stream outlives the upstream, whatever ends it`() async throws {
    try await RunningRelay.with { relay async throws in
      let envoy = try await relay.connectEnvoy()
      try await relay.withUpstream { upstream async throws in
        envoy.send(.cluster)
        _ = await upstream.next(2)
        upstream.send(Resources.response(.cluster, "c1", version: "v1", [Resources.plain("c")]))
        #expect(try await envoy.accept() == "CDS [c@1]")
        #expect(await upstream.next() == ["CDS version=v1 nonce=c1"])
        upstream.end(GRPCStatus(.unavailable, "not ready"))
        #expect(await upstream.next(3) == ["closed", "opened", "CDS version=v1"])
        upstream.send(
          Resources.response(.cluster, "d1", version: "v2", [Resources.plain("c", "2")]))
        #expect(try await envoy.accept() == "CDS [c@2]")
        #expect(await upstream.next() == ["CDS version=v2 nonce=d1"])
      }
      try await relay.withUpstream { upstream async throws in
        #expect(await upstream.next(2) == ["opened", "CDS version=v2"])
      }
    }
  }

  @Test func `a server that drains is left for the next one`() async throws {
    try await RunningRelay.with { relay async throws in
      let envoy = try await relay.connectEnvoy()
      var next: RunningRelay.BoundUpstream?
      try await relay.withUpstream { upstream async throws in
        envoy.send(.cluster)
        #expect(await upstream.next(2) == ["opened", "CDS"])
        next = try await relay.bindUpstream()
      }
      try await relay.withUpstream(next) { upstream async throws in
        #expect(await upstream.next(2) == ["opened", "CDS"])
        upstream.send(Resources.response(.cluster, "c1", version: "v1", [Resources.plain("c")]))
        #expect(try await envoy.accept() == "CDS [c@1]")
        #expect(
          relay.registry.exposition().contains("istio_agent_istiod_connection_failures 0\n"))
      }
    }
  }

  @Test func `what Envoy refuses reaches skiffd in its words`() async throws {
    try await RunningRelay.with { relay async throws in
      try await relay.withUpstream { upstream async throws in
        let envoy = try await relay.connectEnvoy()
        envoy.send(ecds, ["a"])
        _ = await upstream.next(2)
        upstream.send(Resources.response(ecds, "e1", version: "v1", [Resources.plain("a")]))
        let answer = try await envoy.next()
        envoy.send(ecds, ["a"], nonce: answer?.nonce ?? "", error: "a: unknown type")
        #expect(await upstream.next() == ["ECDS a nonce=e1 error=a: unknown type"])
      }
    }
  }

  @Test func `files of an Envoy that left are kept until the next has its own`() async throws {
    try await RunningRelay.with { relay async throws in
      try await relay.withUpstream { upstream async throws in
        var uses = relay.modules.uses.makeAsyncIterator()
        let first = try await relay.connectEnvoy()
        first.send(ecds, ["a"])
        _ = await upstream.next(2)
        upstream.send(Resources.response(ecds, "e1", version: "v1", [Resources.plugin("a")]))
        relay.modules.end("http://m/a.wasm", path: "/a")
        _ = try await first.accept(["a"])
        #expect(await uses.next(isolation: #isolation) == ["/a"])
        #expect(await upstream.next(3).last == "ECDS a version=v1 nonce=e1")
        try await first.close()
        #expect(await upstream.next() == ["closed"])
        #expect(relay.modules.inUse == ["/a"])

        let second = try await relay.connectEnvoy()
        second.send(ecds, ["b"])
        _ = await upstream.next(2)
        upstream.send(Resources.response(ecds, "e2", version: "v1", [Resources.plugin("b")]))
        relay.modules.end("http://m/b.wasm", path: "/b")
        _ = try await second.accept(["b"])
        #expect(await uses.next(isolation: #isolation) == ["/a", "/b"])
        #expect(await uses.next(isolation: #isolation) == ["/b"])
      }
    }
  }
}
