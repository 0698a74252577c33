// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import SwiftProtobuf
import XDS

/// What skiffd is told of the types that the agent serves itself.
///
/// A response is answered when everything in it is settled, or after a while. What turns out later is
/// told by reports; a server that knows none gets another answer under the same nonce.
extension RelayState {
  private enum Verdict {
    case undecided, accepted
    /// Envoy may take it back, if it is about to be asked about each resource alone.
    case refused(String, isFinal: Bool)
  }

  // google.rpc.Code INTERNAL: what Istio's agent says.
  private static let internalCode: Int32 = 13

  /// The subscription to a type, with the nonce of a response that was answered before.
  func request(for type: InterceptedType) -> DiscoveryRequestMessage {
    .with {
      $0.typeURL = type.typeURL.rawValue
      $0.versionInfo = type.acceptedVersion
      $0.resourceNames = type.names ?? []
      $0.responseNonce = type.answer?.nonce ?? ""
    }
  }

  /// Answers the latest response of a type if it is time, or anew if the answer was wrong.
  mutating func answer(_ index: Int, at now: ContinuousClock.Instant) {
    guard isConnected, let answer = intercepted[index].answer,
      mayAnswer(answer, of: intercepted[index], at: now)
    else { return }
    var refusals: [String: String] = [:]
    let report = envoy.report(on: intercepted[index].typeURL)
    // What is missing from a full state is deleted, and Envoy has to accept that too.
    var isSettled = !intercepted[index].typeURL.isFullState || report?.status != .stale
    let resources = Dictionary(
      uniqueKeysWithValues: (report?.resources ?? []).map { ($0.name, $0) })
    for (name, version) in answer.resources {
      let verdict = verdict(
        on: name, version: version, of: intercepted[index], resources[name], report)
      switch verdict {
      case .accepted: break
      case .undecided: isSettled = false
      case .refused(let reason, let isFinal):
        refusals[name] = reason
        isSettled = isSettled && isFinal
      }
    }
    let refused = Set(refusals.keys)
    let isDue =
      switch answer.verdict {
      case .none: isSettled || answer.deadline <= now
      case .acked: !refused.isEmpty
      case .nacked(let former): !refused.isSubset(of: former) || refused.isEmpty && isSettled
      }
    guard isDue else { return }
    intercepted[index].answer?.verdict = refused.isEmpty ? .acked : .nacked(refused)
    if refused.isEmpty { intercepted[index].acceptedVersion = answer.versionInfo }
    var request = request(for: intercepted[index])
    if !refused.isEmpty {
      request.errorDetail.code = Self.internalCode
      request.errorDetail.message = Self.sentences(refusals)
    }
    sendUpstream(.request(request))
  }

  /// False if it is plain, without a look at each resource, that there is nothing to say.
  private func mayAnswer(
    _ answer: InterceptedType.Answer, of type: InterceptedType, at now: ContinuousClock.Instant
  ) -> Bool {
    switch answer.verdict {
    case .none:
      answer.deadline <= now
        || !type.undecided.contains { type.supplies[$0]?.version == answer.resources[$0] }
    case .acked: !type.refused.isEmpty || !envoy.rejections.isEmpty
    case .nacked: true
    }
  }

  /// One for each refused resource, by name; what Envoy said of several at once only once.
  private static func sentences(_ refusals: [String: String]) -> String {
    var sentences: [String] = []
    for (_, reason) in refusals.sorted(by: { $0.key < $1.key }) where !sentences.contains(reason) {
      sentences.append(reason)
    }
    return sentences.joined(separator: "; ")
  }

  private func verdict(
    on name: String, version: ContentHash, of type: InterceptedType, _ resource: ResourceReport?,
    _ report: TypeReport?
  ) -> Verdict {
    // Another version has come, or nobody wants it any more.
    guard let supply = type.supplies[name], supply.version == version else { return .accepted }
    if let refusal = supply.refusal { return .refused(refusal, isFinal: true) }
    guard !supply.isUndecided, let placed = supply.placement?.resource.version else {
      return .undecided
    }
    if let resource, resource.rejected == placed {
      guard let rejection = report?.rejections.last(where: { $0.resources.contains(name) }) else {
        return .undecided
      }
      return .refused(
        rejection.reason(naming: name, supply.subject),
        isFinal: type.typeURL.isFullState || rejection.resources.count == 1)
    }
    // Of listeners Envoy applies those that it does not complain about.
    let isApplied =
      type.typeURL.isFullState && type.unansweredNonce == nil && resource?.sent == placed
    return isApplied || resource?.acked == placed ? .accepted : .undecided
  }
}

extension Rejection {
  /// Envoy's text, which the server searches for names, as it is if the name is in it.
  fileprivate func reason(naming name: String, _ subject: String) -> String {
    reason.contains(name) ? reason : "\(subject): \(reason)"
  }
}
