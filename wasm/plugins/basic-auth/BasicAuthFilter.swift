// SPDX-License-Identifier: Apache-2.0
// One request before the rules: on its way, or 401 with what is missing. The access log gets the
// reason as response code details.

final class BasicAuthFilter: HTTPContext {
  private let rules: [Rule]
  private let challenge: HTTPFields

  init(rules: [Rule], challenge: HTTPFields) {
    self.rules = rules
    self.challenge = challenge
  }

  override func onRequestHeaders(count: Int, endOfStream: Bool) -> Action {
    let request = Rule.Request(requestHeaders)
    let covering = rules.filter { $0.covers(request) }
    guard !covering.isEmpty else { return .continue }
    switch Credentials.Sent(authorization: requestHeaders.bytes(of: "authorization")) {
    case .nothing:
      return deny("no user name and password were sent", "basic_auth_missing")
    case .otherScheme:
      return deny("the Authorization header is not of the scheme Basic", "basic_auth_other_scheme")
    case .malformed:
      return deny("the credentials are not Base64 of user:password", "basic_auth_malformed")
    case .basic(let sent):
      let refusals = covering.filter { !$0.accepts(sent) }
      guard !refusals.isEmpty else { return .continue }
      return deny("the user name or the password is wrong", "basic_auth_wrong")
    }
  }

  private func deny(_ reason: String, _ details: String) -> Action {
    sendLocalResponse(
      status: 401, headers: challenge, body: "Access denied: \(reason).\n", details: details)
    return .pause
  }
}
