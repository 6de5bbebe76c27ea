;;; hgbroker-history.el --- Log, annotate and changesets  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-2.0-or-later

;;; Commentary:

;; Buffers about the past, with keys like those of VC's: `hgbroker-log' and
;; `hgbroker-log-file' list changesets, `hgbroker-annotate' says which changeset
;; each line comes from, `hgbroker-show-changeset' shows one with its diff, and
;; `hgbroker-find-revision' a file as it was.  A buffer opens at once and is
;; filled when the broker has answered.

;;; Code:

(require 'cl-lib)
(require 'diff-mode)
(require 'hgbroker)

(defcustom hgbroker-log-limit 100
  "How many changesets a log shows at first, and how many more at a time."
  :type 'integer
  :group 'hgbroker)

(defface hgbroker-revision '((t :inherit font-lock-constant-face))
  "Numbers of revisions."
  :group 'hgbroker)

(defface hgbroker-user '((t :inherit font-lock-string-face))
  "Users."
  :group 'hgbroker)

(defface hgbroker-names '((t :inherit font-lock-keyword-face))
  "Branches, bookmarks and tags."
  :group 'hgbroker)

(defvar-local hgbroker-history--root nil "The repository's folder.")
(defvar-local hgbroker-history--file nil "The file that this is about, or nil.")
(defvar-local hgbroker-history--again nil "Called without arguments to fill this buffer anew.")
(defvar-local hgbroker-history--next nil "Where the log goes on, or nil at its end.")
(defvar-local hgbroker-history--asked 0 "Answers to earlier questions are not shown.")

;;; Parts

(defun hgbroker-history--person (user)
  "Return the name in USER, without the address."
  (let ((name (string-trim (replace-regexp-in-string "<.*" "" user))))
    (if (string-empty-p name)
        (replace-regexp-in-string "@.*" "" (string-trim user "<" ">"))
      (replace-regexp-in-string "@.*" "" name))))

(defun hgbroker-history--day (commit)
  "Return the day of COMMIT where it was made."
  (let ((date (plist-get commit :date)))
    ;; The zone is seconds west of Greenwich.
    (format-time-string "%Y-%m-%d" (aref date 0) (- (aref date 1)))))

(defun hgbroker-history--summary (commit)
  "Return the first line of COMMIT's description."
  (car (split-string (hgbroker-decode (plist-get commit :desc)) "[\r\n]")))

(defun hgbroker-history--names (commit)
  "Return COMMIT's bookmarks and tags, and its branch unless that is default."
  (let ((branch (hgbroker-decode (plist-get commit :branch))))
    (append (unless (equal branch "default") (list branch))
            (mapcar #'hgbroker-decode (plist-get commit :bookmarks))
            (mapcar #'hgbroker-decode (plist-get commit :tags)))))

(defun hgbroker-history--file-of-buffer ()
  "Return the file that this buffer shows, or signal an error."
  (or buffer-file-name hgbroker-history--file
      (user-error "This buffer is of no file")))

(defun hgbroker-history--root-of-buffer ()
  "Return the folder of this buffer's repository, or signal an error."
  (or hgbroker-history--root
      (hgbroker-root (or buffer-file-name default-directory))
      (user-error "This is in no Mercurial repository")))

(defun hgbroker-history--buffer (name mode root file fill)
  "Return the buffer NAME in MODE, about ROOT and FILE, to be filled by FILL.
FILL is called without arguments in the buffer; it asks the broker."
  (with-current-buffer (get-buffer-create name)
    (funcall mode)
    (setq default-directory root
          hgbroker-history--root root
          hgbroker-history--file file
          hgbroker-history--again fill)
    (hgbroker-history-refresh)
    (current-buffer)))

(defun hgbroker-history-refresh (&rest _)
  "Ask again for what this buffer shows."
  (interactive)
  (cl-incf hgbroker-history--asked)
  (when (zerop (buffer-size))
    (let ((inhibit-read-only t)) (insert "...\n")))
  (funcall hgbroker-history--again))

(defun hgbroker-history--ask (method params success)
  "Ask METHOD with PARAMS about this buffer's repository, and call SUCCESS.
SUCCESS is called only if the buffer has asked for nothing else since."
  (let* ((asked hgbroker-history--asked)
         (current (lambda () (and hgbroker-history--root (eql asked hgbroker-history--asked)))))
    (hgbroker-request method (append (hgbroker-place hgbroker-history--root) params)
                      (lambda (result) (when (funcall current) (funcall success result)))
                      (lambda (err)
                        (when (funcall current)
                          (let ((inhibit-read-only t))
                            (erase-buffer)
                            (insert (plist-get err :message) "\n")))))))

(defun hgbroker-history--commit ()
  "Return the changeset of the line at point, or signal an error."
  (or (get-text-property (line-beginning-position) 'hgbroker-commit)
      (user-error "No changeset here")))

(defun hgbroker-history--short (node)
  "Return the first twelve digits of NODE."
  (substring node 0 (min 12 (length node))))

;;; Log

(defvar hgbroker-log-mode-map
  (let ((map (make-sparse-keymap)))
    (dolist (key '("RET" "=" "d"))
      (define-key map (kbd key) #'hgbroker-show-changeset-at-point))
    (define-key map "f" #'hgbroker-find-revision-at-point)
    (define-key map "a" #'hgbroker-annotate-at-point)
    (define-key map "w" #'hgbroker-copy-node)
    (define-key map "n" #'next-line)
    (define-key map "p" #'previous-line)
    (define-key map "+" #'hgbroker-log-more)
    (define-key map "g" #'hgbroker-history-refresh)
    map)
  "Keys of `hgbroker-log-mode'.")

(define-derived-mode hgbroker-log-mode special-mode "Hg-Log"
  "Changesets, newest first.
\\{hgbroker-log-mode-map}"
  (setq truncate-lines t)
  (hl-line-mode 1))

(defun hgbroker-log--insert (commits)
  "Insert a line for each of COMMITS, a vector."
  (seq-doseq (commit commits)
    (let ((names (hgbroker-history--names commit))
          (start (point)))
      (insert (propertize (format "%6d" (plist-get commit :rev)) 'face 'hgbroker-revision)
              " " (hgbroker-history--day commit) " "
              (propertize (truncate-string-to-width
                           (hgbroker-history--person (hgbroker-decode (plist-get commit :user))) 14 0 ?\s)
                          'face 'hgbroker-user)
              " "
              (if names (concat (propertize (string-join names " ") 'face 'hgbroker-names) " ") "")
              (hgbroker-history--summary commit))
      (put-text-property start (point) 'hgbroker-commit commit)
      (insert "\n"))))

(defun hgbroker-log--ask (cursor show)
  "Ask for changesets from CURSOR on, and call SHOW with them."
  (hgbroker-history--ask
   :hg/log `(:limit ,hgbroker-log-limit
             ,@(when cursor (list :cursor cursor))
             ,@(when hgbroker-history--file
                 (list :paths (vector (hgbroker-encode-path hgbroker-history--file)) :follow t)))
   (lambda (result)
     (let ((inhibit-read-only t)
           (next (plist-get result :next)))
       (setq hgbroker-history--next (and next (not (equal next "")) next))
       (funcall show (plist-get result :commits))
       (setq mode-line-process (and hgbroker-history--next " (+ for more)"))
       (force-mode-line-update)))))

(defun hgbroker-log--fill ()
  "Fill a log."
  (hgbroker-log--ask nil (lambda (commits)
                           (let ((line (line-number-at-pos)))
                             (erase-buffer)
                             (hgbroker-log--insert commits)
                             (goto-char (point-min))
                             (forward-line (1- line))))))

(defun hgbroker-log-more ()
  "Show more changesets at the end."
  (interactive nil hgbroker-log-mode)
  (unless hgbroker-history--next
    (user-error "That is all"))
  (hgbroker-log--ask (prog1 hgbroker-history--next (setq hgbroker-history--next nil))
                     (lambda (commits)
                       (save-excursion
                         (goto-char (point-max))
                         (hgbroker-log--insert commits)))))

;;;###autoload
(defun hgbroker-log ()
  "List the changesets of this buffer's repository."
  (interactive)
  (let ((root (hgbroker-history--root-of-buffer)))
    (pop-to-buffer
     (hgbroker-history--buffer (format "*hgbroker-log %s*" (abbreviate-file-name (directory-file-name root)))
                               #'hgbroker-log-mode root nil #'hgbroker-log--fill))))

;;;###autoload
(defun hgbroker-log-file ()
  "List the changesets of this buffer's file, across renames."
  (interactive)
  (let ((root (hgbroker-history--root-of-buffer))
        (file (hgbroker-history--file-of-buffer)))
    (pop-to-buffer
     (hgbroker-history--buffer (format "*hgbroker-log %s*" (file-relative-name file root))
                               #'hgbroker-log-mode root file #'hgbroker-log--fill))))

;;; Changesets

(define-derived-mode hgbroker-changeset-mode diff-mode "Hg-Changeset"
  "A changeset with its diff.  As in `diff-mode', RET goes to the source."
  (setq buffer-read-only t)
  (setq-local revert-buffer-function #'hgbroker-history-refresh))

(define-key hgbroker-changeset-mode-map "q" #'quit-window)
(define-key hgbroker-changeset-mode-map "g" #'hgbroker-history-refresh)

(defun hgbroker-changeset--fill (node)
  "Fill this buffer with the changeset NODE."
  (hgbroker-history--ask
   :hg/log (list :revset node :limit 1)
   (lambda (log)
     (hgbroker-history--ask
      :hg/diff (list :change node)
      (lambda (diff)
        (let ((inhibit-read-only t))
          (erase-buffer)
          (seq-doseq (commit (plist-get log :commits))
            (let ((names (hgbroker-history--names commit)))
              (insert (format "Changeset: %d:%s (%s)\n" (plist-get commit :rev)
                              (plist-get commit :node) (plist-get commit :phase))
                      "User:      " (hgbroker-decode (plist-get commit :user)) "\n"
                      "Date:      "
                      (format-time-string "%F %T %z" (aref (plist-get commit :date) 0)
                                          (- (aref (plist-get commit :date) 1)))
                      "\n"
                      (if names (concat "Names:     " (string-join names " ") "\n") "")
                      "\n" (hgbroker-decode (plist-get commit :desc)) "\n\n")))
          (insert (hgbroker-decode (plist-get diff :text)))
          (goto-char (point-min))))))))

(defun hgbroker-show-changeset (node &optional root)
  "Show the changeset NODE of the repository in ROOT, by default this buffer's."
  (interactive "sChangeset: ")
  (pop-to-buffer
   (hgbroker-history--buffer (format "*hgbroker-changeset %s*" (hgbroker-history--short node))
                             #'hgbroker-changeset-mode (or root (hgbroker-history--root-of-buffer)) nil
                             (lambda () (hgbroker-changeset--fill node)))))

(defun hgbroker-show-changeset-at-point ()
  "Show the changeset of this line."
  (interactive nil hgbroker-log-mode hgbroker-annotate-mode)
  (hgbroker-show-changeset (plist-get (hgbroker-history--commit) :node) hgbroker-history--root))

(defun hgbroker-copy-node ()
  "Put the node of this line's changeset into the kill ring."
  (interactive nil hgbroker-log-mode hgbroker-annotate-mode)
  (let ((node (plist-get (hgbroker-history--commit) :node)))
    (kill-new node)
    (message "%s" node)))

;;; Files as they were

(defconst hgbroker-history--reads-nul
  (condition-case nil
      (stringp (json-parse-string "\"\\u0000\""))
    (error nil))
  "Whether this Emacs can read JSON with NUL in it; before Emacs 30, it cannot.")

(defun hgbroker-history--show-content (content line)
  "Show the text CONTENT of `hgbroker-history--file', with point at LINE."
  (let ((inhibit-read-only t)
        (root hgbroker-history--root)
        (file hgbroker-history--file))
    (erase-buffer)
    (insert content)
    (set-buffer-modified-p nil)
    (let ((mode (assoc-default file auto-mode-alist #'string-match-p)))
      (when (functionp mode) (ignore-errors (funcall mode))))
    ;; A mode forgets local variables.
    (setq buffer-read-only t
          hgbroker-history--root root
          hgbroker-history--file file)
    (goto-char (point-min))
    (forward-line (1- line))))

(defun hgbroker-find-revision (file rev root &optional line)
  "Show FILE as it was in the revision REV of the repository in ROOT, at LINE."
  (let* ((buffer (get-buffer-create (format "%s@%s" (file-relative-name file root)
                                            (hgbroker-history--short rev))))
         (params (list :uri (hgbroker-encode-path file) :rev rev))
         (fill (lambda ()
                 (hgbroker-history--ask
                  :hg/cat params
                  (lambda (result)
                    (hgbroker-history--show-content (hgbroker-decode (plist-get result :content))
                                                    (or line 1)))))))
    (with-current-buffer buffer
      (setq buffer-read-only t
            hgbroker-history--root root
            hgbroker-history--file file)
      (cl-incf hgbroker-history--asked)
      (if hgbroker-history--reads-nul
          (funcall fill)
        ;; A binary file is one with a NUL in it.
        (hgbroker-history--ask
         :hg/lineDiff (append params '(:content ""))
         (lambda (result)
           (if (eq (plist-get result :binary) t)
               (hgbroker-history--show-content "A binary file.\n" 1)
             (funcall fill))))))
    (pop-to-buffer buffer)))

(defun hgbroker-history--file-at-point ()
  "Return the file of this line as its changeset calls it, and the line there."
  (let ((entry (get-text-property (line-beginning-position) 'hgbroker-line)))
    (list (if (plist-get entry :path)
              (hgbroker-decode-path (plist-get entry :path) hgbroker-history--root)
            (hgbroker-history--file-of-buffer))
          (plist-get entry :line))))

(defun hgbroker-find-revision-at-point ()
  "Show the file as it was in this line's changeset."
  (interactive nil hgbroker-log-mode hgbroker-annotate-mode)
  (pcase-let ((node (plist-get (hgbroker-history--commit) :node))
              (`(,file ,line) (hgbroker-history--file-at-point)))
    (hgbroker-find-revision file node hgbroker-history--root line)))

;;; Annotate

(defvar hgbroker-annotate-mode-map
  (let ((map (make-sparse-keymap)))
    (dolist (key '("RET" "l" "=" "d"))
      (define-key map (kbd key) #'hgbroker-show-changeset-at-point))
    (define-key map "f" #'hgbroker-find-revision-at-point)
    (define-key map "j" #'hgbroker-annotate-at-point)
    (define-key map "a" #'hgbroker-annotate-before)
    (define-key map "w" #'hgbroker-annotate-working)
    (define-key map "n" #'next-line)
    (define-key map "p" #'previous-line)
    (define-key map "g" #'hgbroker-history-refresh)
    map)
  "Keys of `hgbroker-annotate-mode'.")

(define-derived-mode hgbroker-annotate-mode special-mode "Hg-Annotate"
  "A file, and before each of its lines the changeset it comes from.
\\{hgbroker-annotate-mode-map}"
  (setq truncate-lines t))

(defun hgbroker-annotate--insert (result text)
  "Insert the lines of TEXT, each behind what RESULT says of it."
  (let ((commits (plist-get result :commits))
        (lines (split-string text "\n")))
    (seq-doseq (entry (plist-get result :lines))
      (let* ((index (plist-get entry :commit))
             (commit (and (>= index 0) (aref commits index)))
             (start (point)))
        (insert
         (if commit
             (concat (propertize (format "%6d" (plist-get commit :rev)) 'face 'hgbroker-revision)
                     " " (hgbroker-history--day commit) " "
                     (propertize (truncate-string-to-width
                                  (hgbroker-history--person (hgbroker-decode (plist-get commit :user))) 10 0 ?\s)
                                 'face 'hgbroker-user))
           (make-string 28 ?\s))
         "| " (or (pop lines) ""))
        (add-text-properties start (point)
                             (list 'hgbroker-commit commit 'hgbroker-line entry
                                   'help-echo (and commit (hgbroker-history--summary commit))))
        (insert "\n")))))

(defun hgbroker-annotate--show (result text line)
  "Show RESULT with TEXT, with point at LINE, or where it is when that is nil."
  (let ((inhibit-read-only t)
        (line (or line (line-number-at-pos))))
    (erase-buffer)
    (if (eq (plist-get result :binary) t)
        (insert "A binary file.\n")
      (hgbroker-annotate--insert result text))
    (goto-char (point-min))
    (forward-line (1- line))))

(defun hgbroker-annotate--fill (rev line)
  "Fill this buffer for REV, nil for the file as it is being edited, at LINE."
  (let* ((file hgbroker-history--file)
         (uri (list :uri (hgbroker-encode-path file)))
         (source (and (not rev) (or (find-buffer-visiting file) (find-file-noselect file)))))
    (if source
        (let ((content (with-current-buffer source (hgbroker-buffer-content)))
              (text (with-current-buffer source
                      (save-restriction
                        (widen)
                        (buffer-substring-no-properties (point-min) (point-max))))))
          (unless content
            (user-error "The buffer has characters that its coding system has not"))
          (hgbroker-history--ask :hg/annotate (append uri (list :content content))
                                 (lambda (result) (hgbroker-annotate--show result text line))))
      (hgbroker-history--ask
       :hg/annotate (append uri (list :rev rev))
       (lambda (result)
         (if (eq (plist-get result :binary) t)
             (hgbroker-annotate--show result "" line)
           (hgbroker-history--ask
            :hg/cat (append uri (list :rev rev))
            (lambda (cat)
              (hgbroker-annotate--show result (hgbroker-decode (plist-get cat :content)) line)))))))))

(defun hgbroker-annotate--open (file rev root line)
  "Annotate FILE of the repository in ROOT as of REV (nil: now), at LINE."
  (pop-to-buffer
   (hgbroker-history--buffer
    (format "*hgbroker-annotate %s%s*" (file-relative-name file root)
            (if rev (concat "@" (hgbroker-history--short rev)) ""))
    #'hgbroker-annotate-mode root file
    ;; At LINE the first time; later point stays.
    (lambda () (hgbroker-annotate--fill rev (prog1 line (setq line nil)))))))

;;;###autoload
(defun hgbroker-annotate ()
  "Show which changeset each line of this buffer comes from, saved or not."
  (interactive)
  (hgbroker-annotate--open (hgbroker-history--file-of-buffer) nil
                           (hgbroker-history--root-of-buffer) (line-number-at-pos nil t)))

(defun hgbroker-annotate-at-point ()
  "Annotate the file as it was in this line's changeset."
  (interactive nil hgbroker-log-mode hgbroker-annotate-mode)
  (pcase-let ((node (plist-get (hgbroker-history--commit) :node))
              (`(,file ,line) (hgbroker-history--file-at-point)))
    (hgbroker-annotate--open file node hgbroker-history--root line)))

(defun hgbroker-annotate-before ()
  "Annotate the file as it was before this line's changeset."
  (interactive nil hgbroker-annotate-mode)
  (pcase-let ((parents (plist-get (hgbroker-history--commit) :parents))
              (`(,file ,line) (hgbroker-history--file-at-point)))
    (when (seq-empty-p parents)
      (user-error "That is the first changeset"))
    (hgbroker-annotate--open file (aref parents 0) hgbroker-history--root line)))

(defun hgbroker-annotate-working ()
  "Annotate the file as it is being edited."
  (interactive nil hgbroker-annotate-mode)
  (hgbroker-annotate--open hgbroker-history--file nil hgbroker-history--root (line-number-at-pos)))

(provide 'hgbroker-history)
;;; hgbroker-history.el ends here
