package nsenter

import _ "embed"

// stageELF is the stage as built from nsenter/stage by make.
//
//go:embed stage/stage.arm64
var stageELF []byte
