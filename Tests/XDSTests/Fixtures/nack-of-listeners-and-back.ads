# Envoy applies the valid resources of a refused LDS or CDS, so going back must be sent.
= LDS l@1 m@1
< nothing
> LDS
< LDS n1 l@1 m@1
> LDS n1
< nothing
= LDS l@2 m@2
< LDS n2 l@2 m@2
> LDS n2 version=n1 error="Error adding/updating listener(s) m: bad"
< nothing
? LDS ERROR
= LDS l@2 m@2
< nothing
= LDS l@1 m@1
< LDS n3 l@1 m@1
> LDS n3
< nothing
? LDS SYNCED
