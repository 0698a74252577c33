// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import JSON
import MeshModel
import SwiftProtobuf

/// Access logs of `meshConfig.accessLogFile`.
enum AccessLogs {
  /// Istio's default fields (its documentation, "Default access log format"), each with the name that
  /// it has in a log in JSON; nil for what the text quotes together with the field before.
  private static let fields: [(name: String, value: String)] = [
    ("start_time", "%START_TIME%"), ("method", "%REQ(:METHOD)%"),
    ("path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"), ("protocol", "%PROTOCOL%"),
    ("response_code", "%RESPONSE_CODE%"), ("response_flags", "%RESPONSE_FLAGS%"),
    ("response_code_details", "%RESPONSE_CODE_DETAILS%"),
    ("connection_termination_details", "%CONNECTION_TERMINATION_DETAILS%"),
    ("upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"),
    ("bytes_received", "%BYTES_RECEIVED%"), ("bytes_sent", "%BYTES_SENT%"),
    ("duration", "%DURATION%"),
    ("upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"),
    ("x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"), ("user_agent", "%REQ(USER-AGENT)%"),
    ("request_id", "%REQ(X-REQUEST-ID)%"), ("authority", "%REQ(:AUTHORITY)%"),
    ("upstream_host", "%UPSTREAM_HOST%"), ("upstream_cluster", "%UPSTREAM_CLUSTER_RAW%"),
    ("upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%"),
    ("downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"),
    ("downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"),
    ("requested_server_name", "%REQUESTED_SERVER_NAME%"), ("route_name", "%ROUTE_NAME%"),
  ]

  /// Fields that the text puts in quotes, as they come from outside.
  private static let quoted: Set<String> = [
    "upstream_transport_failure_reason", "x_forwarded_for", "user_agent", "request_id", "authority",
    "upstream_host",
  ]

  /// `[time] "GET / HTTP/1.1" 200 …`, with a line's end.
  private static let text: String = {
    var parts: [String] = []
    for (name, value) in fields {
      switch name {
      case "start_time": parts.append("[\(value)]")
      case "method": parts.append("\"\(value)")
      case "protocol": parts.append("\(value)\"")
      default: parts.append(quoted.contains(name) ? "\"\(value)\"" : value)
      }
    }
    return parts.joined(separator: " ") + "\n"
  }()

  static func file(_ meshConfig: MeshConfig) -> [Envoy.AccessLog] {
    guard !meshConfig.accessLogFile.isEmpty else { return [] }
    let format = meshConfig.accessLogFormat
    let log = Envoy_Extensions_AccessLoggers_File_V3_FileAccessLog.with {
      $0.path = meshConfig.accessLogFile
      switch meshConfig.accessLogEncoding {
      case .text:
        let line = format.isEmpty ? text : format
        $0.logFormat.textFormatSource.inlineString = line.hasSuffix("\n") ? line : line + "\n"
      case .json:
        $0.logFormat.jsonFormat =
          AccessLogFormat.json(format).map(Google_Protobuf_Struct.init)
          ?? Google_Protobuf_Struct(
            fields: Dictionary(
              uniqueKeysWithValues: fields.map {
                ($0.name, Google_Protobuf_Value(stringValue: $0.value))
              }))
      }
    }
    return [
      Envoy.AccessLog.with {
        $0.name = FilterName.fileAccessLog
        $0.typedConfig = log.packed()
      }
    ]
  }
}
