"""Engine `clusterloader2`: the unmodified upstream binary (CL2); its input is checked, its output never believed."""
