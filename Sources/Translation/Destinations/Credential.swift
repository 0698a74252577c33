// SPDX-License-Identifier: Apache-2.0

import MeshModel

/// What a Secret has for TLS towards a service: its content travels by SDS, so that clusters depend on
/// what is there, and not on what it is.
struct Credential: Equatable {
  let hasKeyPair: Bool
  let hasRoots: Bool

  init(_ secret: Secret) {
    hasKeyPair = secret.keyPair != nil
    hasRoots = secret.caCertificates != nil
  }
}
