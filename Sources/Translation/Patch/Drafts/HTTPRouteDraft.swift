// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import MeshModel
import ProtoReflection
import SwiftProtobuf

/// A route with what patches compare, which is dear to read out of a message again and again.
///
/// One that a MERGE has changed stays in the form that MERGE works on: many patches may meet it.
struct HTTPRouteDraft {
  private enum Content {
    case built(Envoy.Route)
    case merged(DynamicMessage)
  }

  let name: String
  /// Nil for actions that no match can ask for.
  let action: EnvoyFilter.RouteConfigurationMatch.RouteAction?
  private let content: Content

  init(_ message: Envoy.Route) {
    content = .built(message)
    name = message.name
    action =
      switch message.action {
      case .route: .route
      case .redirect: .redirect
      case .directResponse: .directResponse
      default: nil
      }
  }

  private init(merged message: DynamicMessage) {
    content = .merged(message)
    name = message["name"]?.string ?? ""
    action =
      if message["route"] != nil {
        .route
      } else if message["redirect"] != nil {
        .redirect
      } else if message["direct_response"] != nil {
        .directResponse
      } else {
        nil
      }
  }

  /// - Throws: as `ElementMerge.merged`.
  func merged(
    by patch: DecodedPatch, _ merge: ElementMerge
  ) throws(ConfigError) -> HTTPRouteDraft {
    let former =
      switch content {
      case .built(let message): merge.reflected(message)
      case .merged(let message): message
      }
    return HTTPRouteDraft(merged: try merge.merged(former, by: patch))
  }

  var message: Envoy.Route {
    switch content {
    case .built(let message): message
    case .merged(let message): ElementMerge.built(message)
    }
  }
}
