// SPDX-License-Identifier: Apache-2.0

/// How a call ended: one of gRPC's status codes and a sentence for people.
///
/// The codes are those of <https://github.com/grpc/grpc/blob/master/doc/statuscodes.md>.
package struct GRPCStatus: Error, Hashable, Sendable {
  /// The codes as they travel in `grpc-status`.
  package enum Code: Int, CaseIterable, Sendable {
    case ok = 0
    case cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists
    case permissionDenied, resourceExhausted, failedPrecondition, aborted, outOfRange
    case unimplemented, internalError, unavailable, dataLoss, unauthenticated
  }

  /// What kind of end it was.
  package var code: Code

  /// Why, for people.
  ///
  /// Percent-encoded on the wire, any Unicode here.
  package var message: String

  /// Makes a status from its code and a sentence.
  package init(_ code: Code, _ message: String = "") {
    self.code = code
    self.message = message
  }

  /// The call succeeded.
  package static let ok = GRPCStatus(.ok)
}

extension GRPCStatus: CustomStringConvertible {
  package var description: String { message.isEmpty ? "\(code)" : "\(code): \(message)" }
}
