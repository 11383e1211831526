package workflows

// Progress is a placeholder replaced below.
type Progress struct{}
