"""The outside world of images: whatever trusts a file's word runs in another process."""
