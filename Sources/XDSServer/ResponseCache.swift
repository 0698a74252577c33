// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization
import XDS

/// The encoded responses that streams share.
///
/// A response is serialised once, whatever the number of streams that send it; only the nonce is
/// made for each stream. Keys are content hashes, so classes of proxies and successive snapshots
/// share what is equal. What nobody asked for between two pushes is dropped at the second.
final class ResponseCache: Sendable {
  private struct Generations {
    var current: [Response.Key: ByteBuffer] = [:]
    var former: [Response.Key: ByteBuffer] = [:]
  }

  private let generations = Mutex(Generations())

  /// The bytes of a response but for its nonce.
  ///
  /// Encoding happens under the lock: a stream that asks for the same bytes at the same moment waits
  /// for the first instead of repeating its work.
  func body(of response: Response) -> ByteBuffer {
    generations.withLock { generations in
      let key = response.key
      if let body = generations.current[key] { return body }
      let body =
        generations.former[key] ?? ByteBuffer(bytes: ResponseEncoding.body(of: response))
      generations.current[key] = body
      return body
    }
  }

  /// Begins a new generation; called once for each published snapshot.
  func age() {
    generations.withLock { generations in
      generations.former = generations.current
      generations.current = [:]
    }
  }
}
