// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// A source whose snapshots the test makes.
actor FakeSource: SnapshotSource {
  private var current: MeshSnapshot?
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init(_ first: MeshSnapshot? = nil) {
    current = first
    (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  func snapshot() -> MeshSnapshot? { current }

  func changes() -> AsyncStream<Void> { stream }

  func publish(_ mesh: MeshSnapshot) {
    current = mesh
    continuation.yield()
  }
}
