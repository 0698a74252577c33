// SPDX-License-Identifier: Apache-2.0

import Manifests
import MeshModel

/// Looks for certificates that are not valid now: warnings, since they may be meant to be so, and
/// clients are the ones to refuse them.
enum Validities {
  static func check(_ secrets: [Secret], at now: Int64, _ problems: inout [ConfigError]) {
    for secret in secrets {
      for validity in secret.validities {
        let reason: String
        if validity.notAfter < now {
          reason = "the certificate expired at \(Timestamp.text(ofSeconds: validity.notAfter))"
        } else if validity.notBefore > now {
          reason =
            "the certificate is not valid before \(Timestamp.text(ofSeconds: validity.notBefore))"
        } else {
          continue
        }
        problems.append(
          ConfigError(
            .invalid, severity: .warning, object: secret.ref, at: validity.path, reason: reason))
      }
    }
  }
}
