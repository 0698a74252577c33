# Envoy waits for its first CDS and LDS, also if there is nothing in them.
= CDS -
< nothing
> CDS
< CDS n1
> CDS n1
< nothing
> LDS
< LDS n2
