"""Engine `clusterloader2`: the unmodified upstream binary (CL2), its input checked, its output read and never believed."""
