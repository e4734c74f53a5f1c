"""What commands do beyond an input for the engine: functions of the app's hands, in tables."""
