// SPDX-License-Identifier: Apache-2.0
// Asks for a user name and a password (HTTP Basic) where rules say so, and answers 401 itself.
//
//   {"realm": "istio",
//    "basic_auth_rules": [
//      {"prefix": "/productpage", "request_methods": ["GET", "POST"],
//       "credentials": ["ok:test", "YWRtaW4zOmFkbWluMw=="]}]}
//
// A rule covers a request by path (exactly one of prefix, suffix and exact), method and, if it
// lists any, hosts (`*.example.com`, `shop.*`; ports do not count). Whom it lets in stands there in
// clear or in Base64. A request that several rules cover needs credentials that each of them knows;
// one that none covers passes. HEAD and OPTIONS are methods of their own: list them where needed.
//
// The configuration is that of the basic_auth extension of istio-ecosystem/wasm-extensions, and so
// are the decisions but for these, all of which let fewer requests pass unasked:
// - Paths are compared without their query, without regard to case, and in every reading that a
//   server might give them: see PathReadings.
// - Methods and hosts are compared without regard to case; a host's closing dot does not count.
// - Without any rule, with a rule that can match nothing (`"prefix": "productpage"`), or with
//   credentials that nobody could send, the plugin does not start.
// And these, which follow the RFC more closely: the scheme may be written in any case, credentials
// are compared decoded and in constant time, the realm is quoted.
// https://www.rfc-editor.org/rfc/rfc7617

final class BasicAuth: RootContext {
  private var rules: [Rule] = []
  private var challenge = HTTPFields()

  override func onConfigure(_ configuration: [UInt8]) throws(PluginError) {
    let json = try JSON(parsing: configuration)
    let list = json["basic_auth_rules"]
    for rule in try list.array() { rules.append(try Rule(rule)) }
    guard !rules.isEmpty else { throw list.expected("at least one rule") }
    let realm = try json["realm"].ifPresent.map { json throws(PluginError) in try Realm(json) }
    challenge = ["www-authenticate": "Basic realm=\((realm ?? Realm()).quoted)"]
  }

  override func makeHTTPContext() -> HTTPContext {
    BasicAuthFilter(rules: rules, challenge: challenge)
  }
}

Plugin.register(root: { BasicAuth() })
