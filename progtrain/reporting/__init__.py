"""What people read: the analysis of a version, the choice of the next change, the final report, and the plots."""
