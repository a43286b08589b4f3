"""The outside world of this room: other DICOMweb servers, and the database to count in."""
