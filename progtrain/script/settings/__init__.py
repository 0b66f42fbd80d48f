"""What a Snapshot says, knob by knob: values, schedules, lengths, and whether they are what was asked for."""
