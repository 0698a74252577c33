// SPDX-License-Identifier: Apache-2.0

import MeshModel
import XDSServer

extension DebugPages {
  /// The page that a browser gets: every other page, with a sentence.
  func index(of pages: [Page]) -> String {
    let other = [
      ("/ready", "200 once the first snapshot is complete."),
      ("/metrics", "Prometheus metrics."), ("/version", "What runs here."),
    ]
    let rows = (pages.map { ("/debug/\($0.path)", $0.summary) } + other)
      .map { path, summary in
        "<tr><td><a href=\"\(path)\">\(path)</a></td><td>\(summary)</td></tr>\n"
      }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <title>skiffd</title>
      <style>
      body { font-family: sans-serif; margin: 2em auto; max-width: 50em; }
      td { padding: 0.3em 1em 0.3em 0; }
      </style>
      </head>
      <body>
      <h1>skiffd \(Version.current)</h1>
      <p>\(state)</p>
      <table>
      \(rows.joined())</table>
      <p>Add <code>?pretty</code> to any page of JSON.</p>
      </body>
      </html>

      """
  }

  private var state: String {
    guard let mesh = ads.mesh else { return "Waiting for the first snapshot." }
    let problems = ads.problems.count
    return "Revision \(mesh.revision): \(mesh.services.count) services, "
      + "\(mesh.virtualServices.count) virtual services, \(problems) problems."
  }
}
