// SPDX-License-Identifier: Apache-2.0

import ConfigStore
import EnvoyAPI
import Foundation
import JSON
import Manifests
import MeshModel
import Translation

/// What it costs from a changed object to the encoded resources of one class of proxies: everything
/// anew, and after an edit of one object.
///
/// It starts where skiffd's store gets a decoded object, and ends with bytes and versions. Prints
/// a Markdown table; `scripts/bench-translation.sh` runs it in the release build.
@main struct TranslationBenchmark {
  /// Of each edit: the first argument, for profilers.
  private static let repetitions = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 21

  static func main() async throws {
    let mesh = BenchmarkMesh(size: 1000)
    let resident = Memory.kibibytes("VmRSS")
    print("| what | measured | snapshot | translation | of a full rebuild |")
    print("|---|---|---|---|---|")
    for (name, node) in [
      ("gateway", "router~10.0.0.1~gw.bench~bench.svc.cluster.local"),
      ("sidecar", "sidecar~10.9.0.1~web.bench~bench.svc.cluster.local"),
    ] {
      let proxy = try Proxy(nodeID: node, metadata: [:])
      // Once for what is made on first use.
      _ = await Subject(proxy).take(mesh.all)
      var colds: [Measurement] = []
      for _ in 0..<5 { colds.append(await Subject(proxy).take(mesh.all)) }
      let full = Measurement.median(colds)
      row("\(name): full rebuild", full)
      let subject = Subject(proxy)
      _ = await subject.take(mesh.all)
      for (what, edit) in mesh.edits {
        var edits: [Measurement] = []
        for round in 0..<repetitions { edits.append(await subject.take(edit(round))) }
        row("\(name): \(what)", .median(edits), of: full)
      }
    }
    let peak = Memory.kibibytes("VmHWM")
    print(
      "| memory: the objects, and at most with all that is kept | "
        + "\(resident / 1024) and \(peak / 1024) MiB | | | |")
  }

  private static func row(_ what: String, _ one: Measurement, of full: Measurement? = nil) {
    let share = full.map { "\((one.total / $0.total * 1000).rounded() / 10) %" } ?? ""
    let times = [one.total, one.snapshot, one.translation].map(text).joined(separator: " | ")
    print("| \(what) | \(times) | \(share) |")
  }

  private static func text(_ duration: Duration) -> String {
    "\((duration / .microseconds(10)).rounded() / 100) ms"
  }
}

/// A store and a translator as skiffd has them, for one class.
private struct Subject {
  private let store = ConfigStore(sources: [NoSource()])
  private let translator = Translator(types: EnvoyTypes.pool)
  private let proxy: Proxy

  init(_ proxy: Proxy) { self.proxy = proxy }

  func take(_ events: [ConfigEvent]) async -> Measurement {
    let start = CPUTime.now
    await store.handle(events, from: NoSource().name)
    guard let mesh = await store.snapshot() else {
      preconditionFailure("the benchmark's first events are a listing")
    }
    let built = CPUTime.now
    let result = translator.translate(mesh, for: mesh.classifier.proxyClass(of: proxy))
    precondition(!result[.route].resources.isEmpty, "the benchmark's manifests must have routes")
    return Measurement(snapshot: built - start, translation: CPUTime.now - built)
  }
}

/// The benchmark hands over events by itself.
private struct NoSource: ConfigSource {
  let name = "benchmark"

  func run(_ deliver: @Sendable ([ConfigEvent]) async -> Void) async throws {}
}

private struct Measurement {
  var snapshot: Duration
  var translation: Duration
  var total: Duration { snapshot + translation }

  static func median(_ all: [Self]) -> Self {
    all.sorted { $0.total < $1.total }[all.count / 2]
  }
}

/// What the process has used, which others on the machine change less than the time that passes.
private enum CPUTime {
  static var now: Duration {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}

private enum Memory {
  /// A line of `/proc/self/status`.
  static func kibibytes(_ field: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("\(field):") }
    return line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
  }
}
