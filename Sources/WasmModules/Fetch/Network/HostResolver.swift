// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOPosix

/// Turns a host name into addresses.
///
/// The fetcher asks by itself instead of leaving it to the HTTP client: the address that was
/// checked must be the address that is connected to.
protocol HostResolver: Sendable {
  /// All addresses of a host, the preferred first.
  ///
  /// - Throws: `ModuleError` that says why there are none.
  func addresses(of host: String) async throws(ModuleError) -> [IPAddress]
}

/// The system's resolver: hosts file, DNS, whatever is configured (`getaddrinfo`).
struct SystemHostResolver: HostResolver {
  private let threads: NIOThreadPool

  /// A resolver that blocks threads of the pool, never the caller's.
  init(threads: NIOThreadPool) { self.threads = threads }

  /// The call cannot be interrupted, but a caller who is cancelled does not wait for it.
  func addresses(of host: String) async throws(ModuleError) -> [IPAddress] {
    let answer = FirstAnswer()
    let addresses = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        answer.expect(continuation)
        threads.submit { state in
          guard case .active = state else { return answer.give(.failure(Self.failure(host, nil))) }
          answer.give(Self.lookUp(host))
        }
      }
    } onCancel: {
      answer.give(.failure(Self.failure(host, "cancelled")))
    }
    return try addresses.get()
  }

  private static func failure(_ host: String, _ why: String?) -> ModuleError {
    ModuleError(
      .downloadFailure,
      "the host name \(host) could not be looked up" + (why.map { ": \($0)" } ?? ""),
      isRetryable: true)
  }

  private static func lookUp(_ host: String) -> Result<[IPAddress], ModuleError> {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, nil, &hints, &list)
    guard status == 0 else { return .failure(failure(host, String(cString: gai_strerror(status)))) }
    defer { freeaddrinfo(list) }
    return .success(
      sequence(first: list, next: { $0?.pointee.ai_next })
        .compactMap { $0?.pointee.ai_addr.flatMap { IPAddress($0) } }
        .reduce(into: []) { if !$0.contains($1) { $0.append($1) } })
  }
}
