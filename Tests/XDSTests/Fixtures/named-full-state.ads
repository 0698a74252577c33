# CDS and LDS by name: an answer says also what does not exist.
= LDS l@1 m@1
< nothing
> LDS x
< LDS n1
> LDS n1 x l
< LDS n2 l@1
> LDS n2 x l
< nothing
# Other names are none of its business.
= LDS l@1 m@2
< nothing
> LDS n2 l
< nothing
> LDS n2 l m
< LDS n3 l@1 m@2
