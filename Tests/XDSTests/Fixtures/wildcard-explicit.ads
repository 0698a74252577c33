# A star asks for everything, besides names or alone, and no names end it.
= CDS a@1 b@1
< nothing
> CDS * a
< CDS n1 a@1 b@1
> CDS n1 * a
< nothing
> CDS n1 *
< nothing
= CDS a@1 b@2 c@1
< CDS n2 a@1 b@2 c@1
> CDS n2
< nothing
= CDS a@2
< nothing
