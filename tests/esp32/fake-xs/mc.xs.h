/* Ids, which xsid finds in the sources. */
#define xsID_chip "chip"
#define xsID_label "label"
#define xsID_project "project"
#define xsID_sectorSize "sectorSize"
#define xsID_size "size"
#define xsID_slot "slot"
#define xsID_state "state"
#define xsID_version "version"
