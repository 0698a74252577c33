// SPDX-License-Identifier: Apache-2.0

/// A `networking.istio.io` VirtualService: how requests to its hosts are routed.
package struct VirtualService: ConfigObject {
  package static let kind = ObjectKind.virtualService

  package enum StringMatch: Hashable, Sendable {
    case exact(String)
    case prefix(String)
    /// RE2 syntax, matched against the whole value.
    case regex(String)
  }

  package struct HTTPMatch: Hashable, Sendable {
    package var name = ""
    package var uri: StringMatch?
    package var ignoreURICase = false
    package var method: StringMatch?
    package var authority: StringMatch?
    package var scheme: StringMatch?
    /// Nil asks only for the presence of the header.
    package var headers: [String: StringMatch?] = [:]
    /// The port that the request came in on.
    package var port: UInt32?
    /// Empty stands for the gateways of the VirtualService.
    package var gateways: [String] = []
    package init() {}
  }

  package struct Destination: Hashable, Sendable {
    /// As written: a full or a short name.
    package var host: String
    package var subset: String
    package var port: UInt16?
    package init(host: String, subset: String = "", port: UInt16? = nil) {
      self.host = host
      self.subset = subset
      self.port = port
    }
  }

  package struct HeaderOperations: Hashable, Sendable {
    package var set: [String: String] = [:]
    package var add: [String: String] = [:]
    package var remove: [String] = []
    package init() {}
    package var isEmpty: Bool { self.set.isEmpty && add.isEmpty && remove.isEmpty }
  }

  package struct Headers: Hashable, Sendable {
    package var request = HeaderOperations()
    package var response = HeaderOperations()
    package init() {}
  }

  package struct WeightedDestination: Hashable, Sendable {
    package var destination: Destination
    package var weight: UInt32
    package var headers: Headers
    package init(destination: Destination, weight: UInt32 = 0, headers: Headers = Headers()) {
      self.destination = destination
      self.weight = weight
      self.headers = headers
    }
  }

  package struct Redirect: Hashable, Sendable {
    package var uri = ""
    package var authority = ""
    package var scheme = ""
    package var port: UInt16?
    /// 301, 302, 303, 307 or 308.
    package var code: UInt32 = 301
    package init() {}
  }

  package struct DirectResponse: Hashable, Sendable {
    package var status: UInt32
    package var body: [UInt8]
    package init(status: UInt32, body: [UInt8] = []) {
      self.status = status
      self.body = body
    }
  }

  package enum Action: Hashable, Sendable {
    case route([WeightedDestination])
    case redirect(Redirect)
    case directResponse(DirectResponse)
  }

  package struct HTTPRoute: Hashable, Sendable {
    /// The position in `spec.http`.
    package var index: Int
    package var name = ""
    /// Any of these; empty matches every request.
    package var matches: [HTTPMatch] = []
    package var action: Action
    package var rewriteURI: String?
    package var rewriteAuthority: String?
    /// In nanoseconds; nil where unset, which disables the timeout as in Istio.
    package var timeout: Duration?
    package var headers = Headers()

    package init(index: Int, action: Action) {
      self.index = index
      self.action = action
    }

    /// `spec.http[index]`.
    package var path: FieldPath { FieldPath("spec", "http")[index] }
  }

  package var meta: ObjectMeta
  package var hosts: [String]
  /// As written; empty stands for `mesh`, the sidecars.
  package var gateways: [String]
  /// Empty exports to all namespaces.
  package var exportTo: [String]
  package var http: [HTTPRoute]

  package init(
    meta: ObjectMeta, hosts: [String], gateways: [String] = [], exportTo: [String] = [],
    http: [HTTPRoute]
  ) {
    self.meta = meta
    self.hosts = hosts
    self.gateways = gateways
    self.exportTo = exportTo
    self.http = http
  }
}
