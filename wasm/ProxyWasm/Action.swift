// SPDX-License-Identifier: Apache-2.0
// What a stream callback answers.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1#proxy_action_t

enum Action: UInt32 {
  /// Goes on to the next filter.
  case `continue` = 0

  /// Holds the stream here until `continueRequest`, `continueResponse` or a local response.
  case pause = 1
}

/// A stream's two directions, by the ABI's numbers.
enum StreamType: UInt32 {
  case request = 0
  case response = 1
}
