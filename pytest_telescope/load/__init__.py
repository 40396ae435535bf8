"""From a ready cluster to a LoadResult: engines that put load on it and say what became of every pod."""
