;;; hgbroker.el --- Mercurial without waiting, by hgbroker  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-2.0-or-later

;; Author: the hgbroker authors
;; Version: 1.0
;; Package-Requires: ((emacs "28.1") (jsonrpc "1.0.14"))
;; Keywords: vc, tools

;;; Commentary:

;; One broker (hgbroker --stdio) answers what Emacs wants to know of all
;; Mercurial repositories, over one connection of the built-in jsonrpc.el.
;; Everything is asked asynchronously; what the mode line shows is the last
;; answer, and the broker tells when a repository has changed.
;;
;;   (global-hgbroker-mode)
;;
;; shows branch, bookmark, what is under way and the changed lines of every
;; file in a repository.  `hgbroker-log', `hgbroker-log-file' and
;; `hgbroker-annotate' open buffers.
;;
;; This file holds the connection, the repositories and the minor mode;
;; hgbroker-changes.el marks changed lines; hgbroker-history.el has the buffers.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'subr-x)

(declare-function hgbroker-changes-start "hgbroker-changes" ())
(declare-function hgbroker-changes-stop "hgbroker-changes" ())
(declare-function hgbroker-changes-update-shown "hgbroker-changes" ())
(declare-function hgbroker-changes-count "hgbroker-changes" ())

(defgroup hgbroker nil
  "Mercurial by hgbroker."
  :group 'vc
  :prefix "hgbroker-")

(defcustom hgbroker-command '("hgbroker" "--stdio")
  "The broker's program and its arguments."
  :type '(repeat string))

(defcustom hgbroker-initialization-options nil
  "The broker's own options, a plist: :fallback, :encoding, :config (a vector)."
  :type 'plist)

(defcustom hgbroker-show-changes t
  "Whether `hgbroker-mode' marks the lines that differ from the parent."
  :type 'boolean)

;;; Bytes and text

;; Paths and contents are bytes in Mercurial.  Bytes that are valid UTF-8 are a
;; JSON string on the wire, all others are {"base64": "..."}, both ways.

(defun hgbroker-encode (bytes)
  "Return the JSON form of the unibyte string BYTES."
  (let ((text (decode-coding-string bytes 'utf-8-unix t)))
    (if (and (not (string-match-p "[^\0-\U0010FFFF]\\|[\uD800-\uDFFF]" text))
             (string-equal (encode-coding-string text 'utf-8-unix t) bytes))
        text
      (list :base64 (base64-encode-string bytes t)))))

(defun hgbroker-decode (value)
  "Return the text of the JSON form VALUE, for people.
Bytes that are no UTF-8 become raw bytes in it, so that encoding the
text as UTF-8 gives the same bytes again."
  (cond ((stringp value) value)
        ((plist-get value :base64)
         (decode-coding-string (base64-decode-string (plist-get value :base64)) 'utf-8-unix t))
        (t "")))

(defun hgbroker-encode-path (file)
  "Return the JSON form of FILE's absolute name."
  (hgbroker-encode
   (encode-coding-string (expand-file-name file)
                         (or file-name-coding-system default-file-name-coding-system 'utf-8-unix)
                         t)))

(defun hgbroker-decode-path (value root)
  "Return the file name for the JSON form VALUE of a path from ROOT."
  (let ((text (hgbroker-decode value)))
    (expand-file-name (decode-coding-string
                       (encode-coding-string text 'utf-8-unix t)
                       (or file-name-coding-system default-file-name-coding-system 'utf-8-unix)
                       t)
                      root)))

(defun hgbroker-buffer-content ()
  "Return the JSON form of what saving the current buffer would write.
nil when it has characters that its coding system has not."
  (save-restriction
    (widen)
    (let* ((coding (or buffer-file-coding-system 'utf-8-unix))
           (coding (if (eq (coding-system-base coding) 'undecided)
                       (coding-system-change-eol-conversion 'utf-8 (coding-system-eol-type coding))
                     coding)))
      (unless (and enable-multibyte-characters
                   (unencodable-char-position (point-min) (point-max) coding))
        (hgbroker-encode (encode-coding-string (buffer-substring-no-properties (point-min) (point-max))
                                               coding t))))))

;;; The connection

(defconst hgbroker-lost -1
  "The code of the error for a request that no broker answered.")

(defconst hgbroker--max-starts 3
  "How often in a minute the broker is started.")

(defvar hgbroker--connection nil
  "The connection with the broker, or nil.")

(defvar hgbroker--starts nil
  "Times of the last starts, in seconds, newest first.")

(defvar hgbroker--stopping nil
  "Whether the broker is to end.")

(defun hgbroker-running-p ()
  "Whether the broker runs."
  (and hgbroker--connection (jsonrpc-running-p hgbroker--connection) t))

(defun hgbroker--start ()
  "Start the broker and return the connection.
Signals an error when that cannot be done, or was done too often."
  (setq hgbroker--stopping nil)
  (let ((now (float-time)))
    (setq hgbroker--starts (seq-filter (lambda (time) (< (- now time) 60)) hgbroker--starts))
    (when (>= (length hgbroker--starts) hgbroker--max-starts)
      (error "Hgbroker ended too often: M-x hgbroker-restart tries again"))
    (unless (executable-find (car hgbroker-command))
      (error "%s is not on the path" (car hgbroker-command)))
    (push now hgbroker--starts))
  (let* ((default-directory temporary-file-directory)
         (connection
          (apply #'make-instance 'jsonrpc-process-connection
                 :name "hgbroker"
                 :notification-dispatcher #'hgbroker--notified
                 :request-dispatcher #'hgbroker--requested
                 :on-shutdown #'hgbroker--ended
                 :process (lambda ()
                            (make-process :name "hgbroker" :command hgbroker-command
                                          :connection-type 'pipe :coding 'utf-8-emacs-unix :noquery t
                                          :stderr (get-buffer-create "*hgbroker stderr*")))
                 ;; No log of events, which would repeat whole buffers.
                 (if (fboundp 'jsonrpc--events-buffer-config)
                     '(:events-buffer-config (:size 0 :format short))
                   '(:events-buffer-scrollback-size 0)))))
    (setq hgbroker--connection connection)
    ;; What is asked behind initialize is answered behind it: no need to wait.
    (jsonrpc-async-request
     connection :initialize
     `(:processId nil :clientInfo (:name "Emacs" :version ,emacs-version) :rootUri nil
       :capabilities ,(make-hash-table)
       ,@(when hgbroker-initialization-options
           (list :initializationOptions hgbroker-initialization-options)))
     :timeout nil
     :success-fn #'ignore
     :error-fn (lambda (err)
                 (unless (eql (plist-get err :code) hgbroker-lost)
                   (message "hgbroker: %s" (plist-get err :message)))))
    (jsonrpc-notify connection :initialized (make-hash-table))
    connection))

(defun hgbroker--requested (_connection method _params)
  "Refuse the broker's request METHOD; hg goes on as without a user."
  (jsonrpc-error :code -32601 :message (format "Method not found: %s" method)))

(defun hgbroker--notified (_connection method params)
  "Handle the notification METHOD with PARAMS."
  (pcase method
    ('repository/didChange (hgbroker--did-change params))
    ('window/logMessage
     (when (<= (plist-get params :type) 2)
       (message "hgbroker: %s" (plist-get params :message))))))

(defun hgbroker--ended (connection)
  "Forget CONNECTION, which has ended, and begin again if that was not asked for."
  (when (eq connection hgbroker--connection)
    (setq hgbroker--connection nil)
    (unless hgbroker--stopping
      (run-with-timer 0.2 nil #'hgbroker--reopen))))

(defun hgbroker-request (method params success &optional failure)
  "Ask the broker METHOD (a keyword) with PARAMS (a plist); return at once.
SUCCESS is called with the result, FAILURE with an error (a plist of
:code, :message and :data); without FAILURE it is shown as a message.
One of them is called, once, in the current buffer if that is alive."
  (let* ((buffer (current-buffer))
         (failure (or failure (lambda (err) (message "hgbroker: %s" (plist-get err :message)))))
         (in-buffer (lambda (function)
                      (lambda (value)
                        (if (buffer-live-p buffer)
                            (with-current-buffer buffer (funcall function value))
                          (with-temp-buffer (funcall function value)))))))
    (condition-case err
        (jsonrpc-async-request (if (hgbroker-running-p) hgbroker--connection (hgbroker--start))
                               method params :timeout nil
                               :success-fn (funcall in-buffer success)
                               :error-fn (funcall in-buffer failure))
      (error (run-with-timer 0 nil (funcall in-buffer failure)
                             (list :code hgbroker-lost :message (error-message-string err)))))))

;;;###autoload
(defun hgbroker-stop (&optional patience)
  "End the broker: politely, and after PATIENCE seconds (0.5) by force.
Return whether it went by itself."
  (interactive)
  (setq hgbroker--starts nil)
  (if (not (hgbroker-running-p))
      t
    (setq hgbroker--stopping t)
    (let* ((connection hgbroker--connection)
           (end (+ (float-time) (or patience 0.5))))
      (jsonrpc-async-request connection :shutdown nil :timeout nil
                             :success-fn (lambda (_) (jsonrpc-notify connection :exit nil))
                             :error-fn #'ignore)
      (while (and (jsonrpc-running-p connection) (< (float-time) end))
        (accept-process-output nil 0.01))
      (or (not (jsonrpc-running-p connection))
          (progn (jsonrpc-shutdown connection) nil)))))

;;;###autoload
(defun hgbroker-restart ()
  "End the broker and start another."
  (interactive)
  (hgbroker-stop)
  (hgbroker--reopen))

(defun hgbroker--at-exit ()
  "End the broker with Emacs."
  (ignore-errors (hgbroker-stop)))

(add-hook 'kill-emacs-hook #'hgbroker--at-exit)

;;; Repositories

(cl-defstruct hgbroker-repository
  dir                ; the folder that holds .hg, with a slash at its end
  root               ; as the broker calls it, once it is opened
  state              ; the last answer of hg/state, nil before
  busy again         ; a request for the state is under way; another is wanted
  watched            ; t, or `no' when the broker cannot tell of changes
  (users 0))

(defvar hgbroker--repositories (make-hash-table :test #'equal)
  "Repositories of the buffers in `hgbroker-mode', by folder.")

(defvar-local hgbroker--repository nil
  "The repository of this buffer's file.")

(defvar-local hgbroker--lighter nil
  "What `hgbroker-mode' shows in the mode line.")

(defun hgbroker-root (file)
  "Return the folder at or above FILE that holds .hg, or nil."
  (and file (not (file-remote-p file))
       (when-let ((dir (locate-dominating-file
                        file (lambda (d) (file-directory-p (expand-file-name ".hg" d))))))
         (file-name-as-directory (expand-file-name dir)))))

(defun hgbroker--acquire (dir)
  "Return the repository in DIR, for one buffer more."
  (let ((repo (or (gethash dir hgbroker--repositories)
                  (let ((new (make-hgbroker-repository :dir dir)))
                    (puthash dir new hgbroker--repositories)
                    (hgbroker--open new)
                    new))))
    (cl-incf (hgbroker-repository-users repo))
    repo))

(defun hgbroker--release (repo)
  "One buffer less needs REPO."
  (when (zerop (cl-decf (hgbroker-repository-users repo)))
    (remhash (hgbroker-repository-dir repo) hgbroker--repositories)
    (when (and (hgbroker-repository-root repo) (hgbroker-running-p))
      (hgbroker--close repo))))

(defun hgbroker-place (repo)
  "Return the parameters that say it is about REPO, or about a folder."
  (list :repository (hgbroker-encode-path (if (stringp repo) repo (hgbroker-repository-dir repo)))))

(defun hgbroker--close (repo)
  "Have the broker follow REPO no longer."
  (hgbroker-request :repository/close (hgbroker-place repo) #'ignore #'ignore))

(defun hgbroker--open (repo)
  "Have the broker follow REPO, and ask for its state."
  (setf (hgbroker-repository-root repo) nil
        (hgbroker-repository-watched repo) nil)
  (with-temp-buffer
    (hgbroker-request
     :repository/open (hgbroker-place repo)
     (lambda (result)
       (setf (hgbroker-repository-root repo) (plist-get result :root)
             (hgbroker-repository-watched repo) (if (eq (plist-get result :watched) t) t 'no))
       (if (eq repo (gethash (hgbroker-repository-dir repo) hgbroker--repositories))
           ;; Only from here on is every change told of.
           (hgbroker--refresh repo)
         (hgbroker--close repo)))
     (lambda (err)
       (setf (hgbroker-repository-watched repo) 'no)
       (unless hgbroker--stopping
         (message "hgbroker: %s" (plist-get err :message))))))
  (hgbroker--refresh repo))

(defun hgbroker--reopen ()
  "Open all repositories again, for a new broker."
  (maphash (lambda (_dir repo)
             (hgbroker--open repo)
             (hgbroker--each-buffer repo #'hgbroker--update-changes))
           hgbroker--repositories))

(defun hgbroker--refresh (repo)
  "Ask for REPO's state; what is wanted during an answer is one request more."
  (if (hgbroker-repository-busy repo)
      (setf (hgbroker-repository-again repo) t)
    (setf (hgbroker-repository-busy repo) t)
    (let ((answered (lambda ()
                      (setf (hgbroker-repository-busy repo) nil)
                      (when (hgbroker-repository-again repo)
                        (setf (hgbroker-repository-again repo) nil)
                        (hgbroker--refresh repo))
                      (hgbroker--each-buffer repo #'hgbroker--show))))
      (with-temp-buffer
        (hgbroker-request
         :hg/state (hgbroker-place repo)
         (lambda (state)
           (setf (hgbroker-repository-state repo) state)
           (funcall answered))
         (lambda (err)
           (unless (eql (plist-get err :code) hgbroker-lost)
             (setf (hgbroker-repository-state repo) nil))
           (funcall answered)))))))

(defun hgbroker--did-change (params)
  "Handle repository/didChange with PARAMS."
  (maphash (lambda (_dir repo)
             (when (equal (hgbroker-repository-root repo) (plist-get params :root))
               (hgbroker--refresh repo)
               (hgbroker--each-buffer repo #'hgbroker--update-changes)))
           hgbroker--repositories))

(defun hgbroker--each-buffer (repo function)
  "Call FUNCTION in each buffer of REPO."
  (dolist (buffer (buffer-list))
    (when (eq repo (buffer-local-value 'hgbroker--repository buffer))
      (with-current-buffer buffer (funcall function)))))

;;; What is shown

(defun hgbroker-format-state (state added changed removed)
  "Return STATE (an answer of hg/state) for the mode line.
ADDED, CHANGED and REMOVED are numbers of lines of the buffer."
  (let ((topic (hgbroker-decode (plist-get state :topic)))
        (bookmark (hgbroker-decode (plist-get state :bookmark)))
        (operation (plist-get (plist-get state :operation) :name))
        (conflicts (or (plist-get state :conflicts) 0)))
    (concat " Hg:" (hgbroker-decode (plist-get state :branch))
            (unless (string-empty-p topic) (concat "//" topic))
            (unless (string-empty-p bookmark) (concat "@" bookmark))
            (when operation (concat " " operation))
            (when (> conflicts 0) (format "!%d" conflicts))
            (when (> (+ added changed removed) 0) " ")
            (when (> added 0) (format "+%d" added))
            (when (> changed 0) (format "~%d" changed))
            (when (> removed 0) (format "-%d" removed)))))

(defun hgbroker--show ()
  "Show what is known of this buffer in its mode line."
  (let* ((state (and hgbroker--repository (hgbroker-repository-state hgbroker--repository)))
         (text (and state
                    (apply #'hgbroker-format-state state
                           (if (fboundp 'hgbroker-changes-count) (hgbroker-changes-count) '(0 0 0))))))
    (unless (equal text hgbroker--lighter)
      (setq hgbroker--lighter text)
      (force-mode-line-update))))

(defun hgbroker--update-changes ()
  "Compare this buffer again, if its changes are shown."
  (when (and hgbroker-show-changes (fboundp 'hgbroker-changes-update-shown))
    (hgbroker-changes-update-shown)))

(defun hgbroker--saved ()
  "The buffer was written: ask, where the broker does not tell by itself."
  (when (and hgbroker--repository (eq (hgbroker-repository-watched hgbroker--repository) 'no))
    (hgbroker--refresh hgbroker--repository)))

(defun hgbroker--leave ()
  "End `hgbroker-mode' in a buffer that goes."
  (hgbroker-mode -1))

;;;###autoload
(define-minor-mode hgbroker-mode
  "Show the state of the file's Mercurial repository, and changed lines."
  :lighter hgbroker--lighter
  (if hgbroker-mode
      (let ((dir (hgbroker-root buffer-file-name)))
        (cond ((not dir) (setq hgbroker-mode nil))
              (t
               (unless hgbroker--repository
                 (setq hgbroker--repository (hgbroker--acquire dir)))
               (add-hook 'kill-buffer-hook #'hgbroker--leave nil t)
               (add-hook 'change-major-mode-hook #'hgbroker--leave nil t)
               (add-hook 'after-save-hook #'hgbroker--saved nil t)
               (when hgbroker-show-changes
                 (require 'hgbroker-changes)
                 (hgbroker-changes-start))
               (hgbroker--show))))
    (remove-hook 'kill-buffer-hook #'hgbroker--leave t)
    (remove-hook 'change-major-mode-hook #'hgbroker--leave t)
    (remove-hook 'after-save-hook #'hgbroker--saved t)
    (when (fboundp 'hgbroker-changes-stop)
      (hgbroker-changes-stop))
    (when hgbroker--repository
      (hgbroker--release (prog1 hgbroker--repository (setq hgbroker--repository nil))))
    (setq hgbroker--lighter nil)))

(defun hgbroker--turn-on ()
  "Turn `hgbroker-mode' on in a file of a repository."
  (when (and buffer-file-name (not (string-match-p "/\\.hg/" buffer-file-name))
             (hgbroker-root buffer-file-name))
    (hgbroker-mode 1)))

;;;###autoload
(define-globalized-minor-mode global-hgbroker-mode hgbroker-mode hgbroker--turn-on)

(provide 'hgbroker)
;;; hgbroker.el ends here
