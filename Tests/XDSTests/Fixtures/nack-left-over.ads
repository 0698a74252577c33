# Envoy clears the nonce when it reconnects, but not an error that it had no time to send.
= LDS l@1
< nothing
> LDS error="of the last stream"
< LDS n1 l@1
